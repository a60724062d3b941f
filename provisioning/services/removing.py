"""Removing a configuration with all we know about its objects; what it wrote to its target stays there."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from agents.bus import requests as bus
from provisioning.models import Configuration, Cycle
from provisioning.store import resetting

_OF_CYCLES: Final = ("change", "memberchange", "groupfill", "seenobject")
# In the order of who refers to whom. The ORM would collect every object of the domain in memory first.
_STATEMENTS: Final = (
    *(
        f"DELETE FROM provisioning_{table} t USING provisioning_cycle c, provisioning_job j"  # noqa: S608 — constants
        " WHERE c.id = t.cycle_id AND j.id = c.job_id AND j.configuration_id = %(id)s"
        for table in _OF_CYCLES
    ),
    "DELETE FROM provisioning_drift f USING provisioning_reconciliation r"
    " WHERE r.id = f.reconciliation_id AND r.configuration_id = %(id)s",
    "DELETE FROM provisioning_reconciliation WHERE configuration_id = %(id)s",
    "DELETE FROM provisioning_scopename WHERE configuration_id = %(id)s",
    "DELETE FROM provisioning_notification WHERE configuration_id = %(id)s",
    "UPDATE provisioning_job SET current_cycle_id = NULL WHERE configuration_id = %(id)s",
    "DELETE FROM provisioning_cycle c USING provisioning_job j"
    " WHERE j.id = c.job_id AND j.configuration_id = %(id)s",
    "DELETE FROM provisioning_job WHERE configuration_id = %(id)s",
    "DELETE FROM provisioning_configuration WHERE id = %(id)s",
)


def remove(configuration: Configuration) -> None:
    """Remove the configuration, its jobs and cycles, and all source objects and links; the log is kept."""
    asked = Cycle.objects.filter(job__configuration=configuration, request_id__isnull=False)
    with transaction.atomic():
        for request_id in asked.filter(ended_at__isnull=True).values_list("request_id", flat=True):
            # A cycle under way ends here: its answer must not find its way back in.
            if request_id is not None:
                bus.discard(request_id)
        resetting.forget_objects(configuration.pk)
        with connection.cursor() as cursor:
            for statement in _STATEMENTS:
                cursor.execute(statement, {"id": configuration.pk})

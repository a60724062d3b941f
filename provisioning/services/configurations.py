"""Creating configurations, and changing what they synchronize."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from agents.models import Domain
from provisioning.engine import schedule
from provisioning.engine.schema import default_schema, load
from provisioning.models import Configuration, Job, JobKind, Target
from provisioning.services import coverage, jobs, reading


def create(
    *,
    name: str,
    domain: Domain,
    target: Target,
    notification_addresses: Sequence[str] = (),
    **switches: Any,
) -> Configuration:
    """A configuration with the default mapping and its job, disabled until somebody starts it.

    ``switches`` are further fields of :class:`Configuration`, such as ``delete_threshold``.
    """
    with transaction.atomic():
        configuration = Configuration.objects.create(
            name=name,
            domain=domain,
            target=target,
            notification_addresses=list(notification_addresses),
            schema=default_schema(target=target.kind, domain_fqdn=domain.fqdn, domain_netbios=domain.netbios),
            **switches,
        )
        interval = settings.CYCLE_INTERVAL_S
        phase = schedule.phase_of(configuration.pk.bytes, interval)
        Job.objects.create(
            configuration=configuration, kind=JobKind.OBJECTS, interval_s=interval, phase_s=phase
        )
    return configuration


def change_schema(configuration: Configuration, document: dict[str, Any], now: datetime) -> None:
    """Check and store another schema document.

    The next cycle evaluates the stored objects under it; where these do not hold all that is needed, everything is
    read again.
    """
    load(document)
    with transaction.atomic():
        configuration.schema = document
        configuration.save(update_fields=["schema", "updated_at"])
        needed = reading.asked(configuration).question
        for job in configuration.jobs.all():
            again = jobs.reread if coverage.gaps(job, needed) else jobs.evaluate
            again(job, now)

"""Members and managers from other domains of the forest, where these are synchronized to the same target.

References resolve by objectGUID over all these configurations. Who arrives in one of them may be a member of a group of
another: that group is put on a list, which the other's next plan takes. A list and not the group's mark: a cycle under
way there would clear the mark without having looked.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from provisioning.models import Configuration

_TELL = """
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT DISTINCT g.configuration_id, g.id
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  JOIN provisioning_sourcemember m ON m.member_guid = o.guid
  JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = ANY(%(others)s)
 WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status = 'applied'
"""
_TAKE = """
WITH told AS (DELETE FROM provisioning_arrival WHERE configuration_id = %(configuration)s RETURNING group_id)
UPDATE provisioning_sourceobject g SET members_dirty = true FROM told t WHERE g.id = t.group_id AND NOT g.members_dirty
"""


def of(configuration: Configuration) -> list[UUID]:
    """Configurations of the other domains of its forest that write to the same target."""
    same = Configuration.objects.filter(
        target_id=configuration.target_id, domain__forest__iexact=configuration.domain.forest
    )
    return list(same.exclude(domain_id=configuration.domain_id).values_list("pk", flat=True))


def tell_arrivals(cycle: int, others: Sequence[UUID]) -> None:
    """Once the objects of a cycle are written: list the groups of others that hold what is new."""
    with connection.cursor() as cursor:
        cursor.execute(_TELL, {"cycle": cycle, "others": list(others)})


def take_arrivals(configuration: UUID) -> None:
    """Mark the groups that others have listed."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"configuration": configuration})

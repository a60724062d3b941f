"""The plan of one object: the same questions as for a whole configuration, asked of one row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from provisioning.store.planning import DirtyObject

# Asked for by a person: whether it is marked, or waits in escrow, does not count.
_OBJECT = """
SELECT o.id, o.object_type, o.in_scope AND NOT o.is_gone, o.error_code, o.error_detail,
       coalesce(l.state, 'none'), o.gone_reason,
       CASE WHEN l.state = 'active' THEN o.wanted::text END,
       CASE WHEN l.state = 'active' THEN l.exported::text END
  FROM provisioning_sourceobject o
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE o.id = %s
"""
# Every group of it is looked at by the next plan: its memberships are changes of those groups. Put on a list, as in
# :mod:`neighbours`: a cycle under way, which has not looked at them for this, clears marks when it ends.
_LIST_GROUPS = """
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT g.configuration_id, g.id
  FROM provisioning_sourcememberset m
  JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = %(configuration)s
 WHERE m.members @> ARRAY[%(guid)s::uuid]
"""
_REST = """
UPDATE provisioning_sourceobject SET is_dirty = false WHERE id = %s
"""
_RELEASE = "DELETE FROM provisioning_escrow WHERE source_id = %s"
_SKIPPED = """
INSERT INTO provisioning_log (at, configuration_id, cycle_id, object_type, source_guid, source_name, target_id,
                              action, status, error_code, detail, modified)
SELECT %(now)s, o.configuration_id, %(cycle)s, o.object_type, o.guid, o.dn, coalesce(l.target_id, ''),
       'Other', 'Skipped', %(reason)s, %(detail)s, '[]'
  FROM provisioning_sourceobject o
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE o.id = %(source)s
"""
_IN_OPEN_PLAN = """
SELECT EXISTS (SELECT 1 FROM provisioning_change WHERE cycle_id = %(cycle)s AND source_id = %(source)s
                  AND status = 'planned')
    OR EXISTS (SELECT 1 FROM provisioning_memberchange WHERE cycle_id = %(cycle)s AND group_id = %(source)s
                  AND status = 'planned')
    OR EXISTS (SELECT 1 FROM provisioning_groupfill WHERE cycle_id = %(cycle)s AND group_id = %(source)s)
"""


def of(source: int) -> DirtyObject:
    """One object as the plan looks at it."""
    with connection.cursor() as cursor:
        cursor.execute(_OBJECT, [source])
        return DirtyObject(*cursor.fetchone())


def is_in_open_plan(cycle: int, source: int) -> bool:
    """Whether a cycle still has something to write of this object."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_OPEN_PLAN, {"cycle": cycle, "source": source})
        return bool(cursor.fetchone()[0])


def list_groups_of(configuration: UUID, guid: UUID) -> None:
    """Let the next plan look at every group that has this object as a member."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST_GROUPS, {"configuration": configuration, "guid": guid})


def needs_nothing(source: int) -> None:
    """The object was looked at and is as it should be."""
    with connection.cursor() as cursor:
        cursor.execute(_REST, [source])
        cursor.execute(_RELEASE, [source])


def log_skipped(cycle: int, source: int, reason: str, detail: str, now: datetime) -> None:
    """A log row that says why nothing was written."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SKIPPED, {"cycle": cycle, "source": source, "reason": reason, "detail": detail, "now": now}
        )

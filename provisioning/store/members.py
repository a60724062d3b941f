"""Reading batches of planned memberships, and recording what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from provisioning.models import ObjectType
from provisioning.store import changes, logs
from provisioning.store.outbound import MembershipChange, Outcome

# Memberships of objects that could not be created wait: their group stays dirty and is planned again.
_READ = """
SELECT m.id, m.is_addition, g.target_id, o.target_id, s.object_type
  FROM provisioning_memberchange m
  JOIN provisioning_link g ON g.source_id = m.group_id AND g.state = 'active'
  JOIN provisioning_link o ON o.source_id = m.member_id
  JOIN provisioning_sourceobject s ON s.id = m.member_id
 WHERE m.cycle_id = %s AND m.batch = %s AND m.status = 'planned' AND (o.state = 'active' OR NOT m.is_addition)
 ORDER BY m.id
"""
_WAITING = """
UPDATE provisioning_memberchange SET status = 'failed', error_code = 'UnableToResolveReferenceAttributeValue'
 WHERE cycle_id = %s AND batch = %s AND status = 'planned'
"""
_SETTLE = """
UPDATE provisioning_memberchange m
   SET status = CASE WHEN s.error_code = '' THEN 'applied' ELSE 'failed' END, error_code = s.error_code
  FROM staged_outcome s WHERE m.id = s.change_id
"""
_LINK = """
INSERT INTO provisioning_linkmember (group_id, member_id)
SELECT m.group_id, m.member_id FROM provisioning_memberchange m JOIN staged_outcome s ON m.id = s.change_id
 WHERE s.error_code = '' AND m.is_addition
 ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_UNLINK = """
DELETE FROM provisioning_linkmember l
 USING provisioning_memberchange m JOIN staged_outcome s ON m.id = s.change_id
 WHERE s.error_code = '' AND NOT m.is_addition AND l.group_id = m.group_id AND l.member_id = m.member_id
"""
# Groups of which nothing failed are clean.
_CLEAN = """
UPDATE provisioning_sourceobject o SET members_dirty = false
 WHERE o.configuration_id = %(configuration)s AND o.members_dirty
   AND NOT EXISTS (SELECT 1 FROM provisioning_memberchange m
                    WHERE m.cycle_id = %(cycle)s AND m.group_id = o.id AND m.status <> 'applied')
"""


def read_batch(cycle: int, batch: int) -> list[MembershipChange]:
    """The memberships of a batch that are still to be written and whose two ends exist in the target."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [cycle, batch])
        return [
            MembershipChange(key, is_addition, group_id, member_id, ObjectType(member_type))
            for key, is_addition, group_id, member_id, member_type in cursor.fetchall()
        ]


def record(
    configuration: UUID, cycle: int, batch: int, outcomes: Sequence[Outcome], now: datetime
) -> tuple[int, int]:
    """Store outcomes, memberships written and log rows; returns (applied, failed)."""
    with connection.cursor() as cursor:
        changes.stage_outcomes(cursor, outcomes)
        for statement in (_SETTLE, _LINK, _UNLINK):
            cursor.execute(statement)
        logs.write_memberships(cursor, configuration, cycle, now)
        cursor.execute(_WAITING, [cycle, batch])
        waiting = int(cursor.rowcount)
    applied, failed = changes.count(outcomes)
    return applied, failed + waiting


def clean_groups(configuration: UUID, cycle: int) -> None:
    """After the memberships of a cycle: groups of which every change was applied are no longer dirty."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEAN, {"configuration": configuration, "cycle": cycle})

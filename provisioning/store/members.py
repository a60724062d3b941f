"""Taking batches of planned memberships, and recording what became of them, all without leaving the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.models import ObjectType
from provisioning.store import group_fills, logs, written_members
from provisioning.store.outbound import MembershipChange, Outcome, StagedMemberships

_TABLE: Final = "staged_membership"
_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged_membership (
    change_id bigint, is_addition boolean, group_source bigint, member_source bigint,
    group_id text, member_id text, member_kind smallint, error_code text, is_new boolean
) ON COMMIT DELETE ROWS;
TRUNCATE staged_membership
"""
# Without statistics the table is taken for one of many small groups, or of a few that are removed from.
_TELL_SIZE = """
SET LOCAL default_statistics_target = 10;
ANALYZE staged_membership (group_source, is_addition, error_code)
"""
# What is taken is no longer planned. Of a membership whose ends were there before the cycle a trace is kept; of a
# new object's nothing but the link: it takes them along should the cycle be undone.
# Memberships of objects that could not be created wait: their group stays dirty and is planned again.
# Looked up one by one (OFFSET 0): a join may read all links of a big directory for every batch.
_STAGE = """
INSERT INTO staged_membership
SELECT m.id, m.is_addition, m.group_id, m.member_id, g.target_id, o.target_id, s.object_type, '',
       m.is_addition AND greatest(g.linked_at, o.linked_at) >= (
           SELECT started_at FROM provisioning_cycle WHERE id = %(cycle)s)
  FROM provisioning_memberchange m
 CROSS JOIN LATERAL (SELECT target_id, linked_at FROM provisioning_link
                      WHERE source_id = m.group_id AND state = 'active' OFFSET 0) g
 CROSS JOIN LATERAL (SELECT target_id, linked_at FROM provisioning_link
                      WHERE source_id = m.member_id AND (state = 'active' OR NOT m.is_addition) OFFSET 0) o
 CROSS JOIN LATERAL (SELECT object_type FROM provisioning_sourceobject WHERE id = m.member_id OFFSET 0) s
 WHERE m.cycle_id = %(cycle)s AND m.batch = %(batch)s AND m.status = 'planned'
"""
_TAKE = """
DELETE FROM provisioning_memberchange m USING staged_membership s
 WHERE m.cycle_id = %(cycle)s AND m.batch = %(batch)s AND m.id = s.change_id
"""
_READ = """
SELECT change_id, is_addition, group_id, member_id, member_kind FROM staged_membership ORDER BY change_id
"""
_WAITING = """
UPDATE provisioning_memberchange SET status = 'failed', error_code = 'UnableToResolveReferenceAttributeValue'
 WHERE cycle_id = %s AND batch = %s AND status = 'planned'
"""
_MARK_FAILED = """
UPDATE staged_membership s SET error_code = f.error_code
  FROM unnest(%s::bigint[], %s::text[]) AS f (change_id, error_code) WHERE s.change_id = f.change_id
"""
_KEEP_FAILED = """
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %s, group_source, member_source, is_addition, %s, 'failed', error_code
  FROM staged_membership WHERE error_code <> ''
"""
_TRACE = """
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %s, group_source, member_source, is_addition, %s, 'applied', ''
  FROM staged_membership WHERE error_code = '' AND NOT is_new
"""
_ADDED = """
SELECT group_source AS group_id, member_source AS member_id FROM staged_membership
 WHERE error_code = '' AND is_addition
"""
_REMOVED = """
SELECT group_source AS group_id, member_source AS member_id FROM staged_membership
 WHERE error_code = '' AND NOT is_addition
"""
# Nobody has marked a group that the cycle has created. One that could not be created gets all its members when it is.
_MARK_AGAIN = """
UPDATE provisioning_sourceobject o SET members_dirty = true
  FROM provisioning_memberchange m
  JOIN provisioning_change c
    ON c.source_id = m.group_id AND c.cycle_id = m.cycle_id AND c.kind = 'create' AND c.status = 'applied'
 WHERE m.cycle_id = %s AND m.batch = %s AND m.status = 'failed' AND o.id = m.group_id AND NOT o.members_dirty
"""
_ABANDON = """
WITH abandoned AS (DELETE FROM provisioning_groupfill WHERE cycle_id = %s RETURNING group_id)
UPDATE provisioning_sourceobject o SET members_dirty = true
  FROM (SELECT DISTINCT group_id FROM abandoned) a WHERE o.id = a.group_id AND NOT o.members_dirty
"""
# Groups of which nothing failed are clean.
_CLEAN = """
UPDATE provisioning_sourceobject o SET members_dirty = false
 WHERE o.configuration_id = %(configuration)s AND o.members_dirty
   AND (%(only)s::bigint IS NULL OR o.id = %(only)s)
   AND NOT EXISTS (SELECT 1 FROM provisioning_memberchange m
                    WHERE m.cycle_id = %(cycle)s AND m.group_id = o.id AND m.status <> 'applied')
"""


def take_batch(cycle: int, batch: int) -> StagedMemberships:
    """Stage the memberships of a batch that are still to be written and whose two ends exist in the target."""
    parameters = {"cycle": cycle, "batch": batch}
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        cursor.execute(_STAGE, parameters)
        compared = int(cursor.rowcount)
        if compared:
            cursor.execute(_TAKE, parameters)
            cursor.execute(_TELL_SIZE)
        filled = group_fills.stage(cursor, parameters)
        return StagedMemberships(_TABLE, group_fills.TABLE, compared, filled, _read)


def _read() -> Iterator[MembershipChange]:
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        for key, is_addition, group_id, member_id, member_type in cursor.fetchall():
            yield MembershipChange(key, is_addition, group_id, member_id, ObjectType(member_type))
        yield from group_fills.read(cursor)


def record(
    configuration: UUID,
    cycle: int,
    batch: int,
    staged: StagedMemberships,
    failures: Sequence[Outcome],
    now: datetime,
) -> tuple[int, int]:
    """Store memberships written, failures and log rows of what is staged; returns (applied, failed)."""
    with connection.cursor() as cursor:
        if failures:
            _note_failures(cursor, cycle, batch, failures)
        if staged.compared:
            written_members.add(cursor, _ADDED)
            cursor.execute(_TRACE, [cycle, batch])
            written_members.remove(cursor, _REMOVED)
        if staged.compared or failures:
            logs.write_memberships(cursor, configuration, cycle, now)
        if staged.filled:
            group_fills.link(cursor)
            logs.write_fills(cursor, configuration, cycle, now)
        cursor.execute(_WAITING, [cycle, batch])
        waiting = int(cursor.rowcount)
        if failures or waiting:
            cursor.execute(_MARK_AGAIN, [cycle, batch])
    return staged.compared + staged.filled - len(failures), len(failures) + waiting


def _note_failures(cursor: Any, cycle: int, batch: int, failures: Sequence[Outcome]) -> None:
    codes = [one.error_code for one in failures]
    cursor.execute(_MARK_FAILED, [[one.change_id for one in failures], codes])
    group_fills.refuse(cursor, [one for one in failures if one.change_id < 0])
    cursor.execute(_KEEP_FAILED, [cycle, batch])


def abandon(cycle: int) -> None:
    """The cycle ends before its time: the next plan looks at the groups that it has not filled."""
    with connection.cursor() as cursor:
        cursor.execute(_ABANDON, [cycle])


def clean_groups(configuration: UUID, cycle: int, only: int | None = None) -> None:
    """After the memberships of a cycle: groups of which every change was applied are no longer dirty.

    ``only`` is the one object that the cycle was about, where it was about one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLEAN, {"configuration": configuration, "cycle": cycle, "only": only})

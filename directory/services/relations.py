"""Bulk writes of memberships and managers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from directory.models.membership import SET_SIZE, MemberKind
from directory.services import sets
from directory.services.rows import MODEL_OF, MembershipWrite

_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS directory_incoming_member (
    is_addition boolean, group_id uuid, member_id uuid, member_kind smallint
) ON COMMIT DELETE ROWS;
TRUNCATE directory_incoming_member
"""
_STAGE = "COPY directory_incoming_member (is_addition, group_id, member_id, member_kind) FROM STDIN"
_HOLD = sets.hold("SELECT DISTINCT group_id::uuid FROM {table}")
_REMOVE = sets.take_out(
    "SELECT DISTINCT group_id::uuid, member_id::uuid FROM {table} WHERE NOT is_addition",
    concerned="s.group_id = ANY(ARRAY(SELECT group_id FROM leaving))",
    where="l.group_id = s.group_id AND l.member_id = m.member_id",
)
# What is missing makes new sets, however small: what is there stays as it lies.
_ADD = f"""
WITH wanted AS MATERIALIZED ({{wanted}}
), missing AS (
    SELECT group_id, member_id, min(member_kind) AS member_kind
      FROM (SELECT group_id, member_id, member_kind FROM wanted
             UNION ALL
            SELECT g.group_id, m.member_id, NULL
              FROM (SELECT DISTINCT group_id FROM wanted) g
             CROSS JOIN LATERAL (SELECT unnest(members) AS member_id
                                   FROM directory_memberset WHERE group_id = g.group_id) m) AS either
     GROUP BY group_id, member_id HAVING count(*) = count(member_kind)
), numbered AS (
    SELECT *, (row_number() OVER (PARTITION BY group_id, member_kind ORDER BY member_id) - 1) / {SET_SIZE} AS part
      FROM missing
)
INSERT INTO directory_memberset (group_id, member_kind, members)
SELECT group_id, member_kind, array_agg(member_id) FROM numbered GROUP BY group_id, member_kind, part ORDER BY group_id
"""  # noqa: S608 — built from constants only
_ADD_ROWS = _ADD.format(
    wanted="SELECT group_id::uuid, member_id::uuid, member_kind FROM {table} WHERE is_addition"
)
_ADD_SETS = _ADD.format(
    wanted="""
    SELECT group_id::uuid, unnest(member_ids)::uuid AS member_id, member_kind FROM {table}"""
)
# Looked up one by one: a join might read all sets for each batch.
_FILL = """
INSERT INTO directory_memberset (group_id, member_kind, members)
SELECT group_id::uuid, member_kind, member_ids::uuid[] FROM {table} f
 WHERE (SELECT true FROM directory_memberset s WHERE s.group_id = f.group_id::uuid LIMIT 1) IS NULL
 ORDER BY 1
"""
_COUNT = "SELECT count(*) FROM {table}"
_SET_MANAGER = """
UPDATE {table} AS o SET manager_id = v.manager_id, updated_at = %s
  FROM unnest(%s::uuid[], %s::uuid[]) AS v (object_id, manager_id)
 WHERE o.id = v.object_id
"""


def change_members(writes: Sequence[MembershipWrite]) -> None:
    """Remove, then add, memberships; what is already as wanted is left alone."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGING)
        with cursor.copy(_STAGE) as copy:
            for one in writes:
                copy.write_row((one.is_addition, one.group_id, one.member_id, int(one.member_kind)))
    change_members_of("directory_incoming_member")


def change_members_of(table: str) -> None:
    """The same with the rows (is_addition, group_id, member_id, member_kind) of a table of this session."""
    with connection.cursor() as cursor:
        for statement in (_HOLD, _REMOVE, _ADD_ROWS):
            cursor.execute(_with(table, statement))


def fill_groups_of(table: str) -> None:
    """Give groups the members in a table of this session, many in a row (group_id, member_kind, member_ids).

    Each row is within :data:`SET_SIZE`, and no member comes twice for a group. Groups without members get the rows as
    they are; one that has some gets those that are not there.
    """
    with connection.cursor() as cursor:
        cursor.execute(_with(table, _HOLD))
        cursor.execute(_with(table, _FILL))
        filled = cursor.rowcount
        cursor.execute(_with(table, _COUNT))
        if filled < cursor.fetchone()[0]:
            # Of those that were just filled nothing is missing.
            cursor.execute(_with(table, _ADD_SETS))


def set_managers(kind: MemberKind, pairs: Sequence[tuple[UUID, UUID | None]], now: datetime) -> None:
    """Set (or, with None, clear) the manager of users or contacts: pairs of object id and manager's id."""
    objects = [object_id for object_id, _ in pairs]
    managers = [manager_id for _, manager_id in pairs]
    with connection.cursor() as cursor:
        cursor.execute(_SET_MANAGER.format(table=MODEL_OF[kind]._meta.db_table), [now, objects, managers])


def _with(table: str, statement: str) -> str:
    return statement.format(table=connection.ops.quote_name(table))

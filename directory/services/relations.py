"""Bulk writes of memberships and managers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from directory.models.membership import MemberKind
from directory.services.inserting import insert_new
from directory.services.rows import MODEL_OF, MembershipWrite

_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS directory_incoming_member (
    is_addition boolean, group_id uuid, member_id uuid, member_kind smallint
) ON COMMIT DELETE ROWS;
TRUNCATE directory_incoming_member
"""
_STAGE = "COPY directory_incoming_member (is_addition, group_id, member_id, member_kind) FROM STDIN"
_REMOVE = """
DELETE FROM directory_membership m USING {table} i
 WHERE NOT i.is_addition AND m.group_id = i.group_id::uuid AND m.member_id = i.member_id::uuid
"""
# Sorted by the group: neighbouring rows land on neighbouring pages of the primary key.
_ADD = """
INSERT INTO directory_membership (group_id, member_id, member_kind)
SELECT group_id::uuid, member_id::uuid, member_kind FROM {table} WHERE is_addition
ORDER BY 1
"""
_FILL = """
INSERT INTO directory_membership (group_id, member_id, member_kind)
SELECT group_id::uuid, unnest(member_ids)::uuid, member_kind FROM {table} ORDER BY 1
"""
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
    change_members_of("directory_incoming_member", removes=True)


def change_members_of(table: str, *, removes: bool) -> None:
    """The same with the rows (is_addition, group_id, member_id, member_kind) of a table of this session.

    Without ``removes`` all are additions.
    """
    with connection.cursor() as cursor:
        if removes:
            cursor.execute(_with(table, _REMOVE))
        insert_new(cursor, _with(table, _ADD))


def fill_groups_of(table: str) -> None:
    """Add memberships of groups that nobody else has filled, many in a row: (group_id, member_kind, member_ids)."""
    with connection.cursor() as cursor:
        insert_new(cursor, _with(table, _FILL))


def set_managers(kind: MemberKind, pairs: Sequence[tuple[UUID, UUID | None]], now: datetime) -> None:
    """Set (or, with None, clear) the manager of users or contacts: pairs of object id and manager's id."""
    objects = [object_id for object_id, _ in pairs]
    managers = [manager_id for _, manager_id in pairs]
    with connection.cursor() as cursor:
        cursor.execute(_SET_MANAGER.format(table=MODEL_OF[kind]._meta.db_table), [now, objects, managers])


def _with(table: str, statement: str) -> str:
    return statement.format(table=connection.ops.quote_name(table))

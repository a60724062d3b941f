"""Memberships as tests bring them about, past everything but the directory's own writers."""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from directory.models.membership import MemberKind
from directory.services import relations
from directory.services.rows import MembershipWrite

_HOLDERS = """
SELECT group_id, member_id FROM directory_membership
 WHERE group_id = ANY(%(ids)s::uuid[]) OR member_id = ANY(%(ids)s::uuid[])
"""


def join(group: UUID, *members: UUID, kind: MemberKind = MemberKind.USER) -> None:
    """Make objects of one kind members of a group; who is one already stays one."""
    _write(True, [(group, one) for one in members], kind)


def leave(group: UUID, *members: UUID) -> None:
    """End memberships of a group."""
    _write(False, [(group, one) for one in members])


def end(*objects: UUID) -> None:
    """End every membership that these objects have or, being groups, give."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, {"ids": list(objects)})
        _write(False, cursor.fetchall())


def _write(is_addition: bool, pairs: list[tuple[UUID, UUID]], kind: MemberKind = MemberKind.USER) -> None:
    with transaction.atomic():
        relations.change_members([MembershipWrite(0, is_addition, *pair, kind) for pair in pairs])

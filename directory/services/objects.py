"""Bulk writes of users, groups and contacts: COPY into a temporary table, then one statement a verb.

A batch is tried as a whole. When a uniqueness rule of the directory stops it, it is tried again row by row, so
that one colliding object fails alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from directory.models.membership import MemberKind
from directory.services import statements
from directory.services.rows import CONFLICT, MISSING, MODEL_OF, ObjectWrite, Verb, WriteResult

_CONFLICT_DETAIL = (
    "Another object of the directory holds the same user principal name or source anchor. "
    "Change one of the two in Active Directory."
)
_MISSING_DETAIL = "The linked object is no longer in the directory. Restart the job to create it again."


def write(kind: MemberKind, writes: Sequence[ObjectWrite], now: datetime) -> list[WriteResult]:
    """Apply the writes, all to objects of one kind, and say what became of each."""
    if not writes:
        return []
    try:
        with transaction.atomic():
            return _write_together(kind, writes, now)
    except IntegrityError:
        if len(writes) == 1:
            return [WriteResult(writes[0].key, None, CONFLICT, _CONFLICT_DETAIL)]
        return [result for one in writes for result in write(kind, [one], now)]


def _write_together(kind: MemberKind, writes: Sequence[ObjectWrite], now: datetime) -> list[WriteResult]:
    places = statements.NO_MANAGER if kind is MemberKind.GROUP else statements.MANAGER
    places = {"table": MODEL_OF[kind]._meta.db_table, **places}
    done: dict[int, Any] = {}
    with connection.cursor() as cursor:
        _stage(cursor, writes)
        for statement in _statements({one.verb for one in writes}, kind):
            cursor.execute(statement.format(**places), {"now": now})
            done.update(cursor.fetchall())
    return [_result(one, done.get(one.key)) for one in writes]


def _statements(verbs: set[Verb], kind: MemberKind) -> list[str]:
    chosen: list[str] = []
    if Verb.UPDATE in verbs:
        chosen.append(statements.UPDATE)
    if Verb.CREATE in verbs:
        chosen += [statements.ADOPT, statements.INSERT]
    if Verb.DELETE in verbs:
        chosen += [statements.DELETE, statements.LEAVE_GROUPS]
        chosen += [statements.EMPTY_GROUP] if kind is MemberKind.GROUP else []
        if kind is MemberKind.USER:
            chosen += [statements.FORGET_MANAGER, statements.FORGET_MANAGER_OF_CONTACT]
    return chosen


def _stage(cursor: Any, writes: Sequence[ObjectWrite]) -> None:
    cursor.execute(statements.STAGING)
    with cursor.copy(statements.STAGE) as copy:
        for one in writes:
            copy.write_row((one.key, one.verb.value, one.object_id, one.anchor, one.document, one.manager_id))


def _result(one: ObjectWrite, object_id: Any) -> WriteResult:
    if object_id is not None:
        return WriteResult(one.key, object_id)
    if one.verb is Verb.CREATE:
        return WriteResult(one.key, None, CONFLICT, _CONFLICT_DETAIL)
    return WriteResult(one.key, None, MISSING, _MISSING_DETAIL)

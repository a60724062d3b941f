"""Bulk writes of users, groups and contacts: COPY into a temporary table, then one statement a verb.

A batch is tried as a whole. Creations that meet another object are left over by the statements; an update that does
so stops the batch, which is then tried again by halves. Either way those objects, and they alone, are settled one by
one (:mod:`directory.services.collisions`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction
from psycopg.errors import ProgramLimitExceeded

from directory.matching import ANCHOR, CONFLICT, MatchPolicy, Refuse
from directory.models.membership import MemberKind
from directory.services import claims, collisions, statements
from directory.services.rows import MANAGED, MODEL_OF, RESTORABLE, Kept, ObjectWrite, Verb, WriteResult

DEFAULT_POLICY = MatchPolicy()
NOTHING_KEPT = Kept()


def write(
    kind: MemberKind,
    writes: Sequence[ObjectWrite],
    now: datetime,
    policy: MatchPolicy = DEFAULT_POLICY,
    kept: Kept = NOTHING_KEPT,
) -> list[WriteResult]:
    """Apply the writes, all to objects of one kind, and say what became of each.

    ``kept`` are attributes that a creation does not simply write to an object that is there.
    """
    anchors: set[str | None] = set()
    twins: list[ObjectWrite] = []
    single: list[ObjectWrite] = []
    for one in writes:
        # Of two creations with one anchor in a batch the second is another object's: it must not share the first's.
        (twins if one.anchor is not None and one.anchor in anchors else single).append(one)
        anchors.add(one.anchor)
    refused = [collisions.refused(one, Refuse(CONFLICT, ANCHOR)) for one in twins]
    return [*_write(kind, single, now, policy, kept), *refused]


def _write(
    kind: MemberKind, writes: Sequence[ObjectWrite], now: datetime, policy: MatchPolicy, kept: Kept
) -> list[WriteResult]:
    if not writes:
        return []
    try:
        with transaction.atomic():
            claimed = claims.by_other_types(kind, writes)
            free = [one for one in writes if one.key not in claimed] if claimed else writes
            done = _write_together(kind, free, now, policy, kept)
            return [_result(kind, one, done.get(one.key), now, policy, kept) for one in writes]
    except DatabaseError as error:
        if not is_about_values(error):
            raise
        if len(writes) == 1:
            return [_settle_alone(kind, writes[0], error, now, policy, kept)]
        middle = len(writes) // 2
        return [
            *_write(kind, writes[:middle], now, policy, kept),
            *_write(kind, writes[middle:], now, policy, kept),
        ]


def is_about_values(error: DatabaseError) -> bool:
    """Whether values of single objects are to blame: a duplicate, a wrong type, or too long for an index."""
    return isinstance(error, IntegrityError | DataError) or (
        isinstance(error, OperationalError) and isinstance(error.__cause__, ProgramLimitExceeded)
    )


def _settle_alone(
    kind: MemberKind, one: ObjectWrite, error: DatabaseError, now: datetime, policy: MatchPolicy, kept: Kept
) -> WriteResult:
    if isinstance(error, IntegrityError):
        return _result(kind, one, None, now, policy, kept)
    return collisions.unfit(one)


def _write_together(
    kind: MemberKind, writes: Sequence[ObjectWrite], now: datetime, policy: MatchPolicy, kept: Kept
) -> dict[int, Any]:
    """The ids of the objects written, by key; what is missing met another object, or is gone."""
    table = MODEL_OF[kind]._meta.db_table
    places = {"table": table, **statements.places(kept, is_managed=kind in MANAGED)}
    parameters: dict[str, Any] = {
        "now": now,
        "restorable": now - RESTORABLE,
        "blocks_hard_match": policy.blocks_hard_match,
        "fill": list(kept.fill),
        "merge": list(kept.merge),
        "once": list(kept.once),
    }
    done: dict[int, Any] = {}
    with connection.cursor() as cursor:
        _stage(cursor, writes)
        for statement in _statements({one.verb for one in writes}, kind):
            cursor.execute(statement.format(**places), parameters)
            done.update(cursor.fetchall())
        deleted = sum(one.verb is Verb.DELETE for one in writes)
        for statement in _taken_along(kind, deleted) if deleted else ():
            cursor.execute(statement)
    return done


def _statements(verbs: set[Verb], kind: MemberKind) -> list[str]:
    chosen: list[str] = []
    if Verb.UPDATE in verbs:
        chosen.append(statements.UPDATE)
    if Verb.CREATE in verbs:
        chosen += [statements.ADOPT, statements.INSERT]
    if Verb.DELETE in verbs:
        chosen.append(statements.DELETE)
    return chosen


def _taken_along(kind: MemberKind, deleted: int) -> list[str]:
    """What ends with the objects that are deleted."""
    chosen = [statements.SORT_IN] if deleted > statements.ASKED_AT_ONCE else []
    chosen += [statements.HOLD_GROUPS, statements.LEAVE_GROUPS]
    if kind is MemberKind.GROUP:
        chosen.append(statements.EMPTY_GROUP)
    if kind is MemberKind.USER:
        chosen += [statements.FORGET_MANAGER, statements.FORGET_MANAGER_OF_CONTACT]
    return chosen


def _stage(cursor: Any, writes: Sequence[ObjectWrite]) -> None:
    cursor.execute(statements.STAGING)
    with cursor.copy(statements.STAGE) as copy:
        for one in writes:
            copy.write_row((one.key, one.verb.value, one.object_id, one.anchor, one.document, one.manager_id))


def _result(
    kind: MemberKind, one: ObjectWrite, object_id: Any, now: datetime, policy: MatchPolicy, kept: Kept
) -> WriteResult:
    if object_id is not None:
        return WriteResult(one.key, object_id)
    return collisions.settle(
        kind, one, policy, now, lambda again: _write_together(kind, [again], now, policy, kept).get(again.key)
    )

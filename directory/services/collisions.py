"""One object at a time: those of a batch that met another object. Soft match, refusal, or documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import IntegrityError, connection, transaction

from directory import matching
from directory.matching import ADDRESSES, PRINCIPAL_NAME, Holder, MatchPolicy, Refuse, TakeOver
from directory.models.membership import MemberKind
from directory.services import documents
from directory.services.rows import (
    INVALID,
    MISSING,
    MISSING_VALUES,
    MODEL_OF,
    RESTORABLE,
    ObjectWrite,
    Verb,
    WriteResult,
)

WriteOne = Callable[[ObjectWrite], UUID | None]

# A placeholder may be taken, or another batch may be faster: then the object is looked at again.
_TRIES: Final = 3
_NOBODY: Final = UUID(int=0)
_OWN = "SELECT id, is_synchronized, deleted_at FROM {table} WHERE {condition} FOR UPDATE"
_NAME_HOLDERS = """
SELECT id, immutable_id IS NOT NULL FROM directory_user
 WHERE deleted_at IS NULL AND lower(user_principal_name) = lower(%s) AND id <> %s
"""
_ADDRESS_HOLDERS = """
SELECT id, immutable_id IS NOT NULL FROM {table}
 WHERE deleted_at IS NULL AND primary_smtp = lower(%s) AND id <> %s
"""
_STAMP = """
UPDATE {table} SET immutable_id = %s, is_synchronized = true WHERE id = %s AND immutable_id IS NULL
"""
_NOTE = """
UPDATE {table} SET provisioning_errors = %s::jsonb || coalesce((
       SELECT jsonb_agg(e) FROM jsonb_array_elements(provisioning_errors) e
        WHERE NOT e->>'propertyCausingError' = ANY(%s)), '[]')
 WHERE id = %s
"""
_DETAILS: Final = {
    matching.CONFLICT: "{attribute}: another object of the directory holds the same value. "
    "Change one of the two in Active Directory.",
    matching.OTHER_TYPE: "{attribute}: an object of another type holds the same value. "
    "Change one of the two, or remove the other object.",
    matching.HARD_MATCH_REFUSED: "{attribute}: an object made in the cloud has this source anchor, and taking over "
    "by hard match is blocked.",
}
_MISSING_DETAIL = "The linked object is no longer in the directory. Restart the job to create it again."
_WITHOUT_ANCHOR = "SourceAnchorBinary: the mapping gives no source anchor. Map the attribute."
_UNFIT = (
    "A value does not fit the directory: AccountEnabled must be true or false, and a name or an address must not be "
    "longer than 2 600 bytes. Correct the value, or its mapping."
)
_PARKED = "{attributes}: another object holds the value. It is parked, and given back when it is free."


@dataclass(frozen=True, slots=True)
class _Own:
    """The object of the directory that the write is about."""

    id: UUID
    is_synchronized: bool
    deleted_at: datetime | None


def settle(
    kind: MemberKind, one: ObjectWrite, policy: MatchPolicy, now: datetime, write_one: WriteOne
) -> WriteResult:
    """What becomes of one write that the bulk statements could not apply."""
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _settle(kind, one, policy, now, write_one)
        except IntegrityError:
            continue
    return refused(one, Refuse(matching.CONFLICT, PRINCIPAL_NAME))


def refused(one: ObjectWrite, reason: Refuse) -> WriteResult:
    """The answer for an object that is not written."""
    return WriteResult(one.key, None, reason.code, _DETAILS[reason.code].format(attribute=reason.attribute))


def without_anchor(one: ObjectWrite) -> WriteResult:
    """The answer for a creation that nothing ties to its source."""
    return WriteResult(one.key, None, MISSING_VALUES, _WITHOUT_ANCHOR)


def unfit(one: ObjectWrite) -> WriteResult:
    """The answer for an object of which a value is of the wrong type, or too long for an index."""
    return WriteResult(one.key, None, INVALID, _UNFIT)


def _settle(
    kind: MemberKind, one: ObjectWrite, policy: MatchPolicy, now: datetime, write_one: WriteOne
) -> WriteResult:
    own = _own_of(kind, one, now)
    if own is None and one.verb is not Verb.CREATE:
        return WriteResult(one.key, None, MISSING, _MISSING_DETAIL)
    if own and one.verb is Verb.CREATE and policy.blocks_hard_match and not own.is_synchronized:
        return refused(one, Refuse(matching.HARD_MATCH_REFUSED, matching.ANCHOR))
    document = documents.read(one.document)
    found = holders(kind, document, own.id if own else _NOBODY)
    decision = matching.decide(found, policy, is_new=own is None)
    if isinstance(decision, Refuse):
        return refused(one, decision)
    if isinstance(decision, TakeOver):
        _execute(kind, _STAMP, [one.anchor, decision.object_id])
    needs_name = (own is None or own.deleted_at is not None) and not isinstance(decision, TakeOver)
    kept = documents.without(document, decision.parked, policy, needs_name=needs_name)
    written = write_one(replace(one, document=orjson.dumps(kept).decode()))
    if written is None:
        return refused(one, Refuse(matching.CONFLICT, matching.ANCHOR))
    return _noted(kind, one, written, document, decision.parked, now)


def _own_of(kind: MemberKind, one: ObjectWrite, now: datetime) -> _Own | None:
    """The object the write names; one whose time in the bin is over makes way."""
    by_anchor = one.verb is Verb.CREATE
    statement = _OWN.format(
        table=MODEL_OF[kind]._meta.db_table, condition="immutable_id = %s" if by_anchor else "id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [one.anchor if by_anchor else one.object_id])
        row = cursor.fetchone()
    own = _Own(*row) if row else None
    if own and by_anchor and own.deleted_at and own.deleted_at <= now - RESTORABLE:
        _execute(kind, "DELETE FROM {table} WHERE id = %s", [own.id])
        return None
    return own


def holders(kind: MemberKind, document: documents.Document, own: UUID) -> list[Holder]:
    """Who else holds the user principal name or the primary SMTP address of this document."""
    found: list[Holder] = []
    name, primary = document.get(PRINCIPAL_NAME), documents.primary_of(document)
    with connection.cursor() as cursor:
        if kind is MemberKind.USER and name:
            cursor.execute(_NAME_HOLDERS, [name, own])
            found += [Holder(PRINCIPAL_NAME, row[0], True, row[1]) for row in cursor.fetchall()]
        if primary:
            address = primary.removeprefix(matching.PRIMARY)
            for other in MemberKind:
                cursor.execute(_ADDRESS_HOLDERS.format(table=MODEL_OF[other]._meta.db_table), [address, own])
                found += [Holder(ADDRESSES, row[0], other is kind, row[1]) for row in cursor.fetchall()]
    return found


def _noted(
    kind: MemberKind,
    one: ObjectWrite,
    object_id: UUID,
    document: documents.Document,
    parked: tuple[str, ...],
    now: datetime,
) -> WriteResult:
    if not parked:
        return WriteResult(one.key, object_id)
    told = orjson.dumps(documents.entries(document, parked, now)).decode()
    _execute(kind, _NOTE, [told, list(parked), object_id])
    return WriteResult(one.key, object_id, "", _PARKED.format(attributes=", ".join(parked)))


def _execute(kind: MemberKind, statement: str, parameters: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(table=MODEL_OF[kind]._meta.db_table), parameters)

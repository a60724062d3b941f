"""What an undo would do, one by one: pages for a person to read, each computed when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from provisioning.engine.undo import Conflict, Reversal, decide_undo
from provisioning.errors import ERRORS
from provisioning.models import Cycle, ObjectType
from provisioning.services import reading, undoing
from provisioning.services.explaining import masked
from provisioning.store import undo
from provisioning.store.undo import START, MembershipReversal, Place, WrittenObject

LEFT_ALONE: Final = "leave"
# Rows looked at for one page. Where hardly any is shown the page ends early, and the next one goes on from there.
_LOOKED_AT: Final = 20_000
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One object: what is done to it, or the code and the sentence that say why it is left alone."""

    action: str
    object_type: str
    guid: UUID | None
    dn: str
    old: dict[str, Any]
    new: dict[str, Any]
    reason: str = ""
    detail: str = ""


def objects(
    cycle: Cycle, now: datetime, *, after: str, limit: int, only_conflicts: bool = False
) -> tuple[list[Row], str]:
    """A page of what happens to objects, and where the next one begins: empty at the end.

    Raises :class:`JobRefused`, and ``ValueError`` for an ``after`` that is none of ours.
    """
    undoing.refuse_where_impossible(cycle)
    hidden = frozenset(reading.of(cycle.job.configuration).redacted)
    rows: list[Row] = []
    last = START
    for number, one in enumerate(_from(cycle, now, _place(after)), start=1):
        row = _row(one, hidden)
        if row is not None and (row.action == LEFT_ALONE or not only_conflicts):
            rows.append(row)
        last = one.place
        if len(rows) == limit or number == _LOOKED_AT:
            return rows, f"{last.phase}.{last.batch}.{last.id}"
    return rows, ""


def memberships(cycle: Cycle, *, after: str, limit: int) -> tuple[list[MembershipReversal], str]:
    """A page of the memberships that are added or removed again, and where the next one begins."""
    undoing.refuse_where_impossible(cycle)
    group, member = (int(part) for part in after.split(".")) if after else (0, 0)
    rows = undo.memberships(cycle.pk, (group, member), limit)
    return rows, f"{rows[-1].group_id}.{rows[-1].member_id}" if len(rows) == limit else ""


def _from(cycle: Cycle, now: datetime, after: Place) -> Iterator[WrittenObject]:
    home = undoing.home_of(cycle)
    while found := undo.page(cycle.pk, home, now, after, _AT_ONCE):
        yield from found
        after = found[-1].place


def _place(after: str) -> Place:
    if not after:
        return START
    phase, batch, number = (int(part) for part in after.split("."))
    return Place(phase, batch, number)


def _row(one: WrittenObject, hidden: frozenset[str]) -> Row | None:
    kind = ObjectType(one.object_type).label
    match decide_undo(one.written, one.present):
        case Conflict() as conflict:
            written = masked(one.written.old, hidden), masked(one.written.new, hidden)
            return Row(LEFT_ALONE, kind, one.guid, one.dn, *written, conflict.value, ERRORS[conflict])
        case Reversal() as reversal:
            values = masked(reversal.old, hidden), masked(reversal.new, hidden)
            return Row(str(reversal.kind), kind, one.guid, one.dn, *values)
        case None:
            return None

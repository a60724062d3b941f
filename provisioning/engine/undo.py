"""What takes back one thing that a cycle wrote: a pure decision over what was written and what is there now.

An undo puts back the old values of what was written, and of nothing else. What was changed again since, by a later
cycle or by hand, is a conflict: it is told and left alone. What is as it was before needs nothing, so that an undo
that runs twice ends in the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from provisioning.engine.plan import Action, Attributes, LinkStanding, modification

REFERENCE: Final = "reference"
_APPEARING: Final = (Action.CREATE, Action.RESTORE)


class Conflict(StrEnum):
    """Why something is left alone; the values are error codes of the log."""

    CHANGED = "ChangedSince"
    DELETED = "DeletedSince"
    WAS_THERE = "WasThereBefore"
    GONE_FOR_GOOD = "DeletedForGood"
    NO_REFERENT = "ReferenceNotThere"
    FORGOTTEN = "NoLongerKnown"


@dataclass(frozen=True, slots=True)
class Written:
    """What the cycle did to an object: the kind of the change, and the values it replaced and wrote."""

    kind: str
    old: Attributes = field(default_factory=dict)
    new: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Present:
    """How the object stands now.

    ``link`` is how its source object is linked; ``is_there`` whether the target has it, not deleted, and
    ``is_restorable`` whether the target can bring it back. ``values`` are those that an update touched, as the
    target holds them; ``exported`` what was last written of an object that was deleted. ``is_made_by_cycle`` tells
    a creation from an object that was found in the target and taken over. ``is_changed`` says that something
    happened to the object as a whole since. ``returns`` and ``leaves`` are what the same undo does to the object
    that a reference belongs to; ``has_referent`` whether what it referred to before is there, or returns.
    """

    is_known: bool = True
    link: LinkStanding = LinkStanding.ACTIVE
    is_there: bool = True
    is_restorable: bool = False
    values: Attributes = field(default_factory=dict)
    exported: Attributes = field(default_factory=dict)
    is_made_by_cycle: bool = True
    is_changed: bool = False
    returns: bool = False
    leaves: bool = False
    has_referent: bool = True


@dataclass(frozen=True, slots=True)
class Reversal:
    """A change that takes one back; of a restore ``new`` holds every attribute."""

    kind: str
    old: dict[str, Any] = field(default_factory=dict)
    new: dict[str, Any] = field(default_factory=dict)


def decide_undo(written: Written, present: Present) -> Reversal | Conflict | None:
    """How to take back what was written; None where the object is as it was before."""
    if not present.is_known:
        return Conflict.FORGOTTEN
    if written.kind in _APPEARING:
        return _take_away(written, present)
    if written.kind == Action.DELETE:
        return _bring_back(present)
    if written.kind == REFERENCE:
        return _refer(written, present)
    return _put_back(written, present)


def is_changed_since(cycle: int, later: Iterable[tuple[int, int | None]]) -> bool:
    """Whether what later cycles did to an object still stands.

    ``later`` are these in their order, each with the cycle that it undoes. An undo takes its cycle away, the undo of
    an undo brings that back: what was undone does not keep anybody from going further back.
    """
    roots = {cycle: cycle}
    standing = {cycle}
    for number, undoes in later:
        root = number if undoes is None else roots.get(undoes, number)
        roots[number] = root
        standing ^= {root}
    return not standing <= {cycle}


def _take_away(written: Written, present: Present) -> Reversal | Conflict | None:
    if present.link is not LinkStanding.ACTIVE or not present.is_there:
        return None
    if written.kind == Action.CREATE and not present.is_made_by_cycle:
        return Conflict.WAS_THERE
    return Conflict.CHANGED if present.is_changed else Reversal(Action.DELETE)


def _bring_back(present: Present) -> Reversal | Conflict | None:
    if present.link is LinkStanding.ACTIVE:
        return None
    if present.link is LinkStanding.NONE:
        return Conflict.FORGOTTEN
    if present.is_there or present.is_changed:
        return Conflict.CHANGED
    if not present.is_restorable:
        return Conflict.GONE_FOR_GOOD
    return Reversal(Action.RESTORE, {}, dict(present.exported))


def _put_back(written: Written, present: Present) -> Reversal | Conflict | None:
    if present.link is not LinkStanding.ACTIVE or not present.is_there:
        return Conflict.DELETED
    new = _old_values(written, present.values)
    if new is None:
        return Conflict.CHANGED
    if not new:
        return None
    back = modification(new, present.values)
    return Reversal(back.action, back.old, back.new)


def _refer(written: Written, present: Present) -> Reversal | Conflict | None:
    if present.leaves:
        return None
    if present.link is not LinkStanding.ACTIVE and not present.returns:
        return Conflict.DELETED
    new = _old_values(written, present.values)
    if new == {}:
        return None
    if new is None or present.is_changed:
        return Conflict.CHANGED
    if not present.has_referent:
        return Conflict.NO_REFERENT
    return Reversal(REFERENCE, {name: present.values.get(name) for name in new}, new)


def _old_values(written: Written, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The old values that are not there any more; None where one holds neither what was written nor the old one."""
    found = {}
    for name, new in written.new.items():
        held, old = values.get(name), written.old.get(name)
        if held == old:
            continue
        if held != new:
            return None
        found[name] = old
    return found

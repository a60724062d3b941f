"""Which entries a set stands for, which of them are there, and what granting or revoking changes. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from provisioning_agent.security.descriptor import Acl
from provisioning_agent.security.entries import Entry, allow
from provisioning_agent.security.lists import explicit, with_entries, without_entries

from .sets import CONTROL_RIGHTS, SETS, Place, Right

GuidOf = Callable[[str], uuid.UUID | None]
Lists = Mapping[Place, Acl]


class State(StrEnum):
    """How one right of a set stands."""

    GRANTED = "granted"
    COVERED = "covered by a wider entry"
    MISSING = "missing"
    NOT_IN_SCHEMA = "not in this schema"
    UNREADABLE = "can not be read by this account"


@dataclass(frozen=True, slots=True)
class Held:
    """One right of a set and how it stands; ``entry`` is None where the schema lacks what it names."""

    right: Right
    state: State
    entry: Entry | None


def entry_for(right: Right, account: bytes, guid_of: GuidOf) -> Entry | None:
    """The entry that gives the right to the account; None if the schema lacks a name of it."""
    found: list[uuid.UUID | None] = []
    for name in (right.on, right.below):
        guid = None if name is None else CONTROL_RIGHTS.get(name) or guid_of(name)
        if name is not None and guid is None:
            return None
        found.append(guid)
    return allow(account, right.mask, right.flags, found[0], found[1])


def standing(name: str, account: bytes, guid_of: GuidOf, lists: Lists) -> list[Held]:
    """Every right of a set and how it stands; a place absent from ``lists`` could not be read."""
    return [_held(right, entry_for(right, account, guid_of), lists) for right in SETS[name]]


def is_granted(rights: Iterable[Held]) -> bool:
    """Whether nothing that can be granted is missing, and something is there."""
    states = {held.state for held in rights}
    return bool(states & {State.GRANTED, State.COVERED}) and not states & {State.MISSING, State.UNREADABLE}


def granting(rights: Iterable[Held], place: Place, acl: Acl) -> Acl:
    """The list with everything of the set that was missing."""
    wanted = [h.entry for h in rights if h.entry and h.state is State.MISSING and h.right.place is place]
    return with_entries(acl, wanted)


def revoking(name: str, account: bytes, guid_of: GuidOf, lists: Lists, place: Place) -> Acl:
    """The list without the set's entries; what another wholly granted set needs as well stays."""
    others = [standing(other, account, guid_of, lists) for other in SETS if other != name]
    kept = {held.entry for rights in others if is_granted(rights) for held in rights}
    mine = standing(name, account, guid_of, lists)
    return without_entries(
        lists[place],
        {h.entry for h in mine if h.entry and h.entry not in kept and h.right.place is place},
    )


def _held(right: Right, entry: Entry | None, lists: Lists) -> Held:
    if entry is None:
        return Held(right, State.NOT_IN_SCHEMA, None)
    acl = lists.get(right.place)
    if acl is None:
        return Held(right, State.UNREADABLE, entry)
    there = explicit(acl)
    if entry in there:
        return Held(right, State.GRANTED, entry)
    covered = any(known.covers(entry) for known in there)
    return Held(right, State.COVERED if covered else State.MISSING, entry)

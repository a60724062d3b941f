"""Changing an access control list: entries in, entries out, in the canonical order (MS-DTYP §2.4.5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from .descriptor import REVISION_OBJECTS, Acl
from .entries import Entry, decode, is_inherited


def entries_of(acl: Acl) -> list[Entry]:
    """The allowing and denying entries, inherited ones included, in their order."""
    return [entry for raw in acl.entries if (entry := decode(raw)) is not None]


def explicit(acl: Acl) -> list[Entry]:
    """Those set on the object itself."""
    return [entry for raw in acl.entries if not is_inherited(raw) and (entry := decode(raw)) is not None]


def with_entries(acl: Acl, wanted: Iterable[Entry]) -> Acl:
    """The list with these allowing entries, each once: behind what denies, before what is inherited."""
    there = set(acl.entries)
    new = tuple(raw for raw in dict.fromkeys(entry.encode() for entry in wanted) if raw not in there)
    if not new:
        return acl
    at = _first_inherited(acl.entries)
    return Acl(REVISION_OBJECTS, (*acl.entries[:at], *new, *acl.entries[at:]))


def without_entries(acl: Acl, unwanted: Collection[Entry]) -> Acl:
    """The list without exactly these entries; every other keeps its bytes and its place."""
    gone = {entry.encode() for entry in unwanted}
    return replace(acl, entries=tuple(raw for raw in acl.entries if raw not in gone))


def _first_inherited(entries: tuple[bytes, ...]) -> int:
    return next((at for at, raw in enumerate(entries) if is_inherited(raw)), len(entries))

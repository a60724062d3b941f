"""The domain's organisational units and containers by name, so that a person can choose a scope from them.

What only shows in the advanced view (showInAdvancedViewOnly) is left out, and so is what lies in CN=System.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from provisioning_agent.wire.pages import AD_SCHEMA, RESOURCE_SCHEMAS
from provisioning_agent.wire.shape import CONTAINER

from . import controls, filters
from .connection import DirectoryConnection, entry_of
from .delta import DELETED
from .dirsync import Change
from .messages import Search
from .names import Reference, guid_base, is_below, is_conflict, parse_extended, rdns
from .resources import Item

_PAGE: Final = 1000
_GUIDS_PER_QUERY: Final = 100
_WEIGHT: Final = 400
_CHOSEN: Final = filters.all_of(
    filters.any_of(filters.equals("objectClass", name) for name in ("organizationalUnit", "container")),
    filters.negate(filters.equals("showInAdvancedViewOnly", "TRUE")),
)


def every(connection: DirectoryConnection, root: str) -> Iterator[Item]:
    """All of them."""
    return _Lister(connection, root).below(root)


def changed(connection: DirectoryConnection, root: str, changes: Mapping[str, Change]) -> Iterator[Item]:
    """Those that were created, renamed, moved or deleted, and what lies below what was renamed or moved."""
    lister = _Lister(connection, root)
    for guid, change in changes.items():
        if change.deleted:
            yield _gone(guid)
        elif change.moved and not change.created:
            yield from lister.below(guid_base(guid))
    yield from lister.named(guid for guid, change in changes.items() if change.created and not change.deleted)


def changed_since(connection: DirectoryConnection, root: str, usn: int) -> Iterator[Item]:
    """The same by uSNChanged. Deletions are not told: they show when everything is read again."""
    lister = _Lister(connection, root)
    for unit in list(lister.found(root, filters.at_least("uSNChanged", usn + 1))):
        yield from lister.below(guid_base(unit.guid))


class _Lister:
    """Tells each container once."""

    def __init__(self, connection: DirectoryConnection, root: str) -> None:
        self._connection = connection
        self._root = root
        self._system = rdns(f"CN=System,{root}")
        self._told: set[str] = set()

    def below(self, base: str) -> Iterator[Item]:
        """What lies at or below a search base."""
        return self._items(self.found(base))

    def named(self, guids: Iterable[str]) -> Iterator[Item]:
        """Single ones, by objectGUID."""
        waiting = sorted(guids)
        for at in range(0, len(waiting), _GUIDS_PER_QUERY):
            raw = (uuid.UUID(guid).bytes_le for guid in waiting[at : at + _GUIDS_PER_QUERY])
            yield from self._items(self.found(self._root, filters.guids(raw)))

    def found(self, base: str, *more: filters.Filter) -> Iterator[Reference]:
        """Those of which ``more`` holds too."""
        asked = (controls.extended_dn(), controls.domain_scope())
        search = Search(base, filters.all_of(_CHOSEN, *more), ("1.1",), controls=asked)
        for frames in self._connection.pages(search, _PAGE):
            for frame in frames:
                yield parse_extended(entry_of(frame).name)

    def _items(self, found: Iterable[Reference]) -> Iterator[Item]:
        for one in found:
            is_hidden = is_conflict(one.dn) or is_below(rdns(one.dn), self._system)
            if not is_hidden and one.guid not in self._told:
                self._told.add(one.guid)
                yield _there(one)


def _there(one: Reference) -> Item:
    names = {"distinguishedName": one.dn}
    meta = {"resourceType": CONTAINER}
    return Item({"schemas": RESOURCE_SCHEMAS, "id": one.guid, "meta": meta, AD_SCHEMA: names}, _WEIGHT, False)


def _gone(guid: str) -> Item:
    meta = {"resourceType": CONTAINER, "tombstone": DELETED}
    return Item({"schemas": RESOURCE_SCHEMAS, "id": guid, "meta": meta}, _WEIGHT, False)

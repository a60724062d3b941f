"""The delta read: DirSync says which objects changed, then their current state is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from . import filters
from .connection import DirectoryConnection
from .dirsync import Change, Changes, changes_since
from .names import guid_base
from .objects import GROUP, Found, ObjectReader
from .resources import MEMBER, Item
from .scope import ReadScope
from .watermark import NESTING, PARENTS

DELETED = "deleted"
OUT_OF_SCOPE = "outOfScope"


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed, by stream: one per object type, and the parents whose rename changes others' DNs.

    ``entered`` and ``left`` are objects that came into the scoping groups and left them, by GUID.
    """

    streams: Mapping[str, Changes]
    entered: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if there is nothing to tell."""
        return not (self.entered or self.left or any(stream.by_guid for stream in self.streams.values()))

    @property
    def cookies(self) -> dict[str, bytes]:
        """The cookies to go on from."""
        return {name: changes.cookie for name, changes in self.streams.items()}


def gather(
    connection: DirectoryConnection,
    root: str,
    attributes: Mapping[str, tuple[str, ...]],
    cookies: Mapping[str, bytes],
) -> Delta:
    """Ask every stream for its changes before anything is delivered; ``attributes`` by object type."""
    streams = {
        name: changes_since(
            connection, root, filters.object_type(name), _watched(name, wanted), cookies[name]
        )
        for name, wanted in attributes.items()
    }
    streams[PARENTS] = changes_since(connection, root, filters.parents(), ("ou",), cookies[PARENTS])
    if NESTING in cookies:
        groups = filters.equals("objectClass", "group")
        streams[NESTING] = changes_since(connection, root, groups, (MEMBER,), cookies[NESTING])
    return Delta(streams)


def _watched(name: str, attributes: tuple[str, ...]) -> tuple[str, ...]:
    return (*attributes, MEMBER) if name == GROUP else attributes


def items(delta: Delta, readers: Iterable[ObjectReader], root: str, scope: ReadScope) -> Iterator[Item]:
    """Resources and tombstones of everything that changed, each object once."""
    moved = _moved_parents(delta.streams[PARENTS])
    for reader in readers:
        told: set[str] = set()
        for base in moved:
            yield from subtree(reader, base, scope, told)
        yield from _shifted(reader, delta, root, scope, told)
        yield from _changed(reader, delta.streams[reader.name].by_guid, root, scope, told)


def _moved_parents(changes: Changes) -> list[str]:
    # What lies below a parent that is new was created or moved itself, and is reported for that.
    return [
        guid
        for guid, change in changes.by_guid.items()
        if change.moved and not change.created and not change.deleted
    ]


def subtree(reader: ObjectReader, guid: str, scope: ReadScope, told: set[str]) -> Iterator[Item]:
    """Everything at or below one parent, but for what was ``told`` already."""
    for found in reader.under(guid_base(guid)):
        if found.reference.guid not in told:
            told.add(found.reference.guid)
            yield from in_or_out(reader, found, scope)


def _shifted(
    reader: ObjectReader, delta: Delta, root: str, scope: ReadScope, told: set[str]
) -> Iterator[Item]:
    """Objects whose place in the scoping groups changed although nothing else may have."""
    for found in reader.named(root, [guid for guid in delta.entered if guid not in told]):
        told.add(found.reference.guid)
        yield from in_or_out(reader, found, scope)
    for found in reader.current(root, [guid for guid in delta.left if guid not in told]):
        told.add(found.reference.guid)
        yield reader.maker.tombstone(found.reference.guid, OUT_OF_SCOPE)


def in_or_out(reader: ObjectReader, found: Found, scope: ReadScope) -> Iterator[Item]:
    """The object where it is in scope, else that it is not."""
    if scope.holds(found.reference):
        yield from reader.items(found)
    else:
        yield reader.maker.tombstone(found.reference.guid, OUT_OF_SCOPE)


def _changed(
    reader: ObjectReader, changes: Mapping[str, Change], root: str, scope: ReadScope, told: set[str]
) -> Iterator[Item]:
    living = []
    anew = []
    for guid, change in changes.items():
        if change.deleted:
            yield reader.maker.tombstone(guid, DELETED)
        elif guid in told:
            continue
        elif reader.is_group and (change.moved or change.created):
            # It may come into scope with members that were never reported.
            anew.append(guid)
        else:
            living.append(guid)
    for found in reader.current(root, living):
        yield from _current(reader, found, changes[found.reference.guid], scope)
    for found in reader.named(root, anew):
        yield from in_or_out(reader, found, scope)


def _current(reader: ObjectReader, found: Found, change: Change, scope: ReadScope) -> Iterator[Item]:
    if not reader.is_group or not scope.holds(found.reference):
        yield from in_or_out(reader, found, scope)
        return
    added, removed = change.member_guids(present=True), change.member_guids(present=False)
    yield from reader.maker.changed_group(
        found.reference, found.values, added, removed, change.foreign, found.size
    )

"""Reading whole objects of one type: by subtree, or by GUID in batches."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from provisioning_agent.wire.requests import ObjectTypeRequest

from . import controls, filters
from .ber import BerError
from .connection import DirectoryConnection, Entry, entry_of
from .convert import RANGE_MARK, Plan
from .messages import Search, entry_name
from .names import Reference, is_conflict, parse_extended
from .ranges import read_whole
from .resources import (
    FIRST_MEMBERS,
    Item,
    ResourceMaker,
    foreign_members,
    is_cut,
    ldap_attributes,
    member_guids,
)
from .schema import Syntax

_GUIDS_PER_QUERY: Final = 100
GROUP: Final = "group"
USER: Final = "user"
_NOBODY: Final[Mapping[str, str]] = MappingProxyType({})


class Found(NamedTuple):
    """One object as read: who it is, its values as JSON has them, its members, its size in bytes.

    ``foreign`` has the SIDs of the members that stand for somebody of another forest.
    """

    reference: Reference
    values: dict[str, Any]
    members: list[str]
    size: int
    foreign: Mapping[str, str] = _NOBODY


class ObjectReader:
    """Reads the objects of one type and makes resources of them."""

    def __init__(
        self,
        connection: DirectoryConnection,
        wanted: ObjectTypeRequest,
        syntaxes: Mapping[str, Syntax],
        page_size: int,
    ) -> None:
        self._connection = connection
        self._page_size = page_size
        self.name = wanted.name
        self.attributes = ldap_attributes(wanted.attributes)
        self.filter = filters.object_type(wanted.name)
        self.maker = ResourceMaker(wanted.name, wanted.attributes)
        self._plan = Plan(self.attributes, syntaxes)
        self._with_members = (*self.attributes, FIRST_MEMBERS) if self.is_group else self.attributes

    @property
    def is_group(self) -> bool:
        """True for the type that has members."""
        return self.name == GROUP

    def names_under(self, base: str) -> Iterator[Reference]:
        """Who is at or below ``base``, and nothing else."""
        search = self._search(base, self.filter, ("1.1",))
        for frames in self._connection.pages(search, self._page_size):
            for frame in frames:
                who = parse_extended(entry_of(frame).name)
                if not is_conflict(who.dn):
                    yield who

    def under(self, base: str, narrowed: filters.Filter | None = None) -> Iterator[Found]:
        """Every object at or below ``base`` that passes ``narrowed``, members included; large ones come last."""
        wanted = self.filter if narrowed is None else filters.all_of(self.filter, narrowed)
        search = self._search(base, wanted, self._with_members or ("objectGUID",))
        cut: list[str] = []
        for frames in self._connection.pages(search, self._page_size):
            for frame in frames:
                found = self._found(frame)
                if isinstance(found, Reference):
                    # Asking for the rest now would disturb the page that is already on its way.
                    cut.append(found.guid)
                elif not is_conflict(found.reference.dn):
                    yield found
        yield from self.complete(cut)

    def complete(self, guids: Iterable[str]) -> Iterator[Found]:
        """Objects one by one with every value, members included; those that are gone are left out."""
        for guid in guids:
            entry = read_whole(self._connection, guid, self._with_members)
            if entry is not None:
                yield self._whole(entry)

    def current(self, root: str, guids: Iterable[str]) -> Iterator[Found]:
        """Objects by GUID without their members; those that are gone or excluded are left out."""
        waiting = list(guids)
        for at in range(0, len(waiting), _GUIDS_PER_QUERY):
            yield from self._batch(root, waiting[at : at + _GUIDS_PER_QUERY])

    def named(self, root: str, guids: Iterable[str]) -> Iterator[Found]:
        """The same with their members, whole."""
        if self.is_group:
            # The first reading drops what may not be read at all, the second brings the members.
            yield from self.complete([found.reference.guid for found in self.current(root, guids)])
        else:
            yield from self.current(root, guids)

    def items(self, found: Found) -> Iterator[Item]:
        """The object's resources, a group's with its whole membership."""
        if self.is_group:
            yield from self.maker.group(
                found.reference, found.values, found.members, found.foreign, found.size
            )
        else:
            yield self.maker.full(found.reference, found.values, None, found.size)

    def _batch(self, root: str, guids: list[str]) -> Iterator[Found]:
        these = filters.guids(uuid.UUID(guid).bytes_le for guid in guids)
        search = self._search(root, filters.all_of(self.filter, these), self.attributes or ("objectGUID",))
        for entry in self._connection.search(search):
            if is_cut(entry.attributes):
                yield from self._completed(entry)
            else:
                found = self._whole(entry)
                if not is_conflict(found.reference.dn):
                    yield found

    def _completed(self, entry: Entry) -> Iterator[Found]:
        whole = read_whole(self._connection, parse_extended(entry.name).guid, self.attributes)
        if whole is not None:
            yield self._whole(whole)

    def _search(self, base: str, wanted: filters.Filter, attributes: tuple[str, ...]) -> Search:
        asked = (controls.extended_dn(), controls.domain_scope())
        return Search(base, wanted, attributes, controls=asked)

    def _found(self, frame: bytes) -> Found | Reference:
        """The object in an entry, or only who it is when the server kept values back."""
        if RANGE_MARK in frame:
            entry = entry_of(frame)
            return parse_extended(entry.name) if is_cut(entry.attributes) else self._whole(entry)
        try:
            name, start = entry_name(frame)
            return Found(parse_extended(name), self._plan.convert(frame, start), [], len(frame))
        except IndexError as error:
            raise BerError("an entry ends in the middle") from error

    def _whole(self, entry: Entry) -> Found:
        size = sum(len(value) for values in entry.attributes.values() for value in values)
        values = self._plan.apply(entry.attributes)
        members, foreign = member_guids(entry.attributes), foreign_members(entry.attributes)
        return Found(parse_extended(entry.name), values, members, size, foreign)

"""Who is in the scoping groups: the graph of memberships walked from the groups down, by GUID.

The walk reads ``member`` group by group. The server's own chain rule (LDAP_MATCHING_RULE_IN_CHAIN, MS-ADTS
§3.1.1.3.4.4.3) is not used: it takes minutes on large nests and says nothing about what was before.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from . import controls, filters
from .connection import DirectoryConnection, entry_of
from .dirsync import Change
from .errors import DirectoryError
from .messages import Scope, Search
from .names import Reference, guid_base, guid_of, parse_extended
from .ranges import read_whole
from .resources import FIRST_MEMBERS, raw_members

_PAGE: Final = 1000
_GUIDS_PER_QUERY: Final = 100

# Raw 16-byte GUIDs: a membership of 50 000 takes 4 MB instead of 10.
Edges = Callable[[bytes], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Membership:
    """Everybody in the scoping groups, and the groups that were walked to find them; raw GUIDs."""

    members: frozenset[bytes]
    groups: frozenset[bytes]

    def holds(self, guid: str) -> bool:
        """True if the object with this objectGUID is a member, nested ones included."""
        return uuid.UUID(guid).bytes in self.members


@dataclass(frozen=True, slots=True)
class Shift:
    """Who may have come into the scoping groups and who may have left them, as objectGUIDs."""

    membership: Membership
    entered: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(slots=True)
class GroupGraph:
    """The memberships as they are now; each group is read once and kept for the answer."""

    connection: DirectoryConnection
    root: str
    _nested: frozenset[bytes] | None = None
    _read: dict[bytes, frozenset[bytes] | None] = field(default_factory=dict)

    def require(self, groups: Iterable[str]) -> list[Reference]:
        """The scoping groups; one that is gone is a failure, never an empty scope."""
        return [self._required(guid) for guid in groups]

    def exist(self, groups: Iterable[bytes]) -> bool:
        """True if all of these groups are still there; a light question."""
        waiting = sorted(groups)
        for at in range(0, len(waiting), _GUIDS_PER_QUERY):
            these = filters.guids(
                uuid.UUID(bytes=raw).bytes_le for raw in waiting[at : at + _GUIDS_PER_QUERY]
            )
            found = self.connection.search(
                Search(self.root, these, ("1.1",), controls=(controls.domain_scope(),))
            )
            if len(found) < len(waiting[at : at + _GUIDS_PER_QUERY]):
                return False
        return True

    def members(self, group: bytes) -> frozenset[bytes] | None:
        """Direct members; None if the group is gone."""
        if group not in self._read:
            entry = read_whole(self.connection, str(uuid.UUID(bytes=group)), (FIRST_MEMBERS,))
            self._read[group] = frozenset(raw_members(entry.attributes)) if entry is not None else None
        return self._read[group]

    def is_nested_group(self, guid: bytes) -> bool:
        """True if the object is a group that is a member of some group of this domain."""
        if self._nested is None:
            self._nested = self._find_nested()
        return guid in self._nested

    def _find_nested(self) -> frozenset[bytes]:
        nested = filters.all_of(filters.equals("objectClass", "group"), filters.present("memberOf"))
        asked = (controls.extended_dn(), controls.domain_scope())
        search = Search(self.root, nested, ("1.1",), controls=asked)
        pages = self.connection.pages(search, _PAGE)
        return frozenset(uuid.UUID(guid_of(entry_of(frame).name)).bytes for page in pages for frame in page)

    def _required(self, guid: str) -> Reference:
        group = filters.equals("objectClass", "group")
        search = Search(guid_base(guid), group, ("1.1",), Scope.BASE, (controls.extended_dn(),))
        entry = self.connection.find(search)
        if entry is None:
            raise DirectoryError(
                "ScopeGroupMissing",
                f"The scope's group {guid} is gone, not readable or no group; correct the scope or restore it.",
            )
        return parse_extended(entry.name)


def now(graph: GroupGraph, roots: frozenset[bytes]) -> Membership:
    """The membership of the scoping groups as it is."""
    return _walk(roots, lambda group: graph.members(group) or (), graph.is_nested_group)


def shift(
    graph: GroupGraph, roots: frozenset[bytes], before: frozenset[bytes], changes: Mapping[str, Change]
) -> Shift | None:
    """What changed since the groups ``before`` were walked; None if that can not be told exactly.

    ``changes`` may name a value that came and went, or went and came. So an entry is whoever is not reached
    without the added ones, and a leave whoever was reached with the removed ones: too many, never too few.
    """
    present = now(graph, roots)
    told = {uuid.UUID(guid).bytes: change.members for guid, change in changes.items() if change.members}
    if not told and present.groups == before:
        return Shift(present, (), ())

    def certain(group: bytes) -> Iterable[bytes]:
        return (graph.members(group) or frozenset()) - _values(told.get(group), present=True)

    def possible(group: bytes) -> Iterable[bytes]:
        return (graph.members(group) or frozenset()) | _values(told.get(group), present=False)

    old = _walk(roots, possible, lambda guid: guid in before or graph.is_nested_group(guid))
    if any(group not in old.groups or graph.members(group) is None for group in before):
        # A nested group is gone, or left in a way nobody told: who was in it can not be asked any more.
        return None
    sure = _walk(roots, certain, graph.is_nested_group)
    return Shift(present, _texts(present.members - sure.members), _texts(old.members - present.members))


def _walk(roots: frozenset[bytes], edges: Edges, is_group: Callable[[bytes], bool]) -> Membership:
    members: set[bytes] = set()
    walked: set[bytes] = set()
    waiting = list(roots)
    while waiting:
        group = waiting.pop()
        if group in walked:
            continue
        walked.add(group)
        found = edges(group)
        members.update(found)
        waiting += [guid for guid in found if guid not in walked and is_group(guid)]
    return Membership(frozenset(members), frozenset(walked))


def _values(told: Mapping[bytes, bool] | None, *, present: bool) -> frozenset[bytes]:
    return frozenset(raw for raw, there in (told or {}).items() if there is present)


def _texts(raws: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(sorted(str(uuid.UUID(bytes=raw)) for raw in raws))

"""What an answer is limited to: containers and groups given by objectGUID, resolved afresh for each read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from . import controls, filters
from .connection import DirectoryConnection
from .errors import DirectoryError
from .members import Membership
from .messages import Scope, Search
from .names import Reference, guid_base, is_below, parse_extended, rdns


@dataclass(frozen=True, slots=True)
class ReadScope:
    """Search bases that together cover the containers once, and the test for a single object.

    ``named`` are the containers as they were asked for, one that lies in another included.
    An object is in scope when it is below a container and, where there are scoping groups, in one of them.
    """

    bases: tuple[str, ...]
    containers: tuple[tuple[str, ...], ...]
    membership: Membership | None = None
    named: tuple[Reference, ...] = ()

    def holds(self, who: Reference) -> bool:
        """True if the object is in scope."""
        if self.membership is not None and not self.membership.holds(who.guid):
            return False
        name = rdns(who.dn)
        return any(is_below(name, container) for container in self.containers)


def resolve(connection: DirectoryConnection, root: str, containers: Iterable[str]) -> ReadScope:
    """Find the containers; none given means the whole domain, one that is gone is an error."""
    found = [_find(connection, guid) for guid in containers]
    if not found:
        return ReadScope((root,), (rdns(root),))
    return cover(found)


def cover(containers: Sequence[Reference]) -> ReadScope:
    """Drop containers that lie inside another one, so that nothing is read twice."""
    kept: list[tuple[Reference, tuple[str, ...]]] = []
    for reference in sorted(containers, key=lambda item: len(rdns(item.dn))):
        name = rdns(reference.dn)
        if not any(is_below(name, other) for _, other in kept):
            kept.append((reference, name))
    bases = tuple(guid_base(ref.guid) for ref, _ in kept)
    return ReadScope(bases, tuple(name for _, name in kept), named=tuple(containers))


def _find(connection: DirectoryConnection, guid: str) -> Reference:
    search = Search(
        guid_base(guid), filters.present("objectClass"), ("1.1",), Scope.BASE, (controls.extended_dn(),)
    )
    entry = connection.find(search)
    if entry is None:
        raise DirectoryError(
            "ScopeContainerMissing",
            f"The scope's container {guid} is gone or not readable; correct the scope or restore it.",
        )
    return parse_extended(entry.name)

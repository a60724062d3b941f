"""How an answer begins: by DirSync, by uSNChanged, or from the start; decided before anything is sent."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from provisioning_agent.wire.requests import ReadRequest

from . import containers, delta, initial, members, usn
from .connection import DirectoryConnection
from .dirsync import CookieRefusedError
from .domain import Controller
from .errors import DirectoryError
from .names import Reference
from .objects import ObjectReader
from .resources import Item, ldap_attributes
from .schema import read_syntaxes
from .scope import ReadScope, resolve
from .watermark import NESTING, PARENTS, Watermark

ATTRIBUTES_UNKNOWN = "AttributesUnknown"
_NO_RIGHT = "DirSyncNotAllowed"


@dataclass(frozen=True, slots=True)
class Start:
    """An answer's mode, what is in it, what its watermark will hold, and the scope it was read in.

    ``containers`` are those that a scope can be chosen from: all, or what changed of them.
    """

    mode: str
    items: Iterator[Item]
    cookies: dict[str, bytes]
    groups: frozenset[bytes]
    scope: ReadScope
    containers: Iterable[Item] = ()


@dataclass(slots=True)
class Beginner:
    """Begins the answer to one request at one controller."""

    connection: DirectoryConnection
    request: ReadRequest
    controller: Controller
    notes: list[str]
    sees_tombstones: bool
    _readers: list[ObjectReader] | None = None
    groups: list[Reference] = field(init=False, default_factory=list)
    graph: members.GroupGraph = field(init=False)

    def __post_init__(self) -> None:
        self.graph = members.GroupGraph(self.connection, self.controller.root)

    def begin(self, mark: Watermark | None) -> Start:
        """``mark`` is None where only a read from the start is asked for."""
        self.groups = self.graph.require(self.request.groups)
        scope = resolve(self.connection, self.controller.root, self.request.containers)
        return (mark and self._delta(mark, scope)) or self._initial(scope)

    def scope(self) -> ReadScope:
        """The scope as it is now, groups included."""
        self.groups = self.graph.require(self.request.groups)
        return self.whole(resolve(self.connection, self.controller.root, self.request.containers))

    @property
    def roots(self) -> frozenset[bytes]:
        """The scoping groups, raw."""
        return frozenset(uuid.UUID(group.guid).bytes for group in self.groups)

    def whole(self, scope: ReadScope) -> ReadScope:
        """The scope with its membership, where groups limit it."""
        if not self.roots or scope.membership is not None:
            return scope
        return replace(scope, membership=members.now(self.graph, self.roots))

    def readers(self) -> list[ObjectReader]:
        """A reader for each object type; made once."""
        if self._readers is None:
            self._readers = self._make_readers()
        return self._readers

    def attributes(self) -> dict[str, tuple[str, ...]]:
        """The attributes to ask for, by object type."""
        return {wanted.name: ldap_attributes(wanted.attributes) for wanted in self.request.object_types}

    def _delta(self, mark: Watermark, scope: ReadScope) -> Start | None:
        """None where only a read from the start tells the truth."""
        if mark.cookies and not self._streams() <= mark.cookies.keys():
            return None
        if not mark.cookies:
            return self._by_usn(mark, scope)
        try:
            changed = delta.gather(self.connection, self.controller.root, self.attributes(), mark.cookies)
        except CookieRefusedError:
            return None
        except DirectoryError as error:
            if error.code != _NO_RIGHT:
                raise
            return self._by_usn(mark, scope)
        return self._by_dirsync(changed, mark, scope)

    def _by_dirsync(self, changed: delta.Delta, mark: Watermark, scope: ReadScope) -> Start | None:
        if changed.is_empty:
            # Nobody is told of a nested group whose deletion can not be seen.
            unbroken = self.graph.exist(mark.groups)
            return Start("delta", iter(()), changed.cookies, mark.groups, scope) if unbroken else None
        if self.roots:
            shift = members.shift(self.graph, self.roots, mark.groups, changed.streams[NESTING].by_guid)
            if shift is None:
                return None
            scope = replace(scope, membership=shift.membership)
            changed = replace(changed, entered=shift.entered, left=shift.left)
        root = self.controller.root
        found = delta.items(changed, self.readers(), root, scope)
        units = containers.changed(self.connection, root, changed.streams[PARENTS].by_guid)
        return Start("delta", found, changed.cookies, _groups(scope), scope, units)

    def _by_usn(self, mark: Watermark, scope: ReadScope) -> Start | None:
        root = self.controller.root
        if not usn.is_valid(mark, self.controller):
            return None
        # Cookies first: an account that has got the right goes on with DirSync from here.
        cookies = self._cookies()
        if self.roots:
            scope = self.whole(scope)
            if usn.any_changed(self.connection, root, mark.groups, mark.usn) or _groups(scope) != mark.groups:
                # Members may have left, and nothing says who they were.
                return None
        found = usn.items(
            self.connection, self.readers(), root, scope, mark.usn, sees_tombstones=self.sees_tombstones
        )
        units = containers.changed_since(self.connection, root, mark.usn)
        return Start("delta", found, cookies, _groups(scope), scope, units)

    def _initial(self, scope: ReadScope) -> Start:
        # Cookies first: what changes from here on, and who comes into a group, comes with the next delta.
        cookies = self._cookies()
        scope = self.whole(scope)
        found = initial.items(self.readers(), self.controller.root, scope)
        units = containers.every(self.connection, self.controller.root)
        return Start("initial", found, cookies, _groups(scope), scope, units)

    def _streams(self) -> set[str]:
        """What is asked with a cookie of its own."""
        return {*self.attributes(), PARENTS, *([NESTING] if self.groups else ())}

    def _cookies(self) -> dict[str, bytes]:
        """The cookies for now; none where DirSync is not to be had."""
        try:
            return initial.start_cookies(self.connection, self.controller.root, self._streams())
        except DirectoryError as error:
            if error.code != _NO_RIGHT:
                raise
            return {}

    def _make_readers(self) -> list[ObjectReader]:
        names = {name for wanted in self.attributes().values() for name in wanted}
        syntaxes = read_syntaxes(self.connection, self.controller.schema, names)
        unknown = sorted(name for name in names if name.lower() not in syntaxes)
        if unknown:
            self.notes.append(f"{ATTRIBUTES_UNKNOWN}: {', '.join(unknown)}")
        return [
            ObjectReader(self.connection, wanted, syntaxes, self.request.page_size)
            for wanted in self.request.object_types
        ]


def _groups(scope: ReadScope) -> frozenset[bytes]:
    return scope.membership.groups if scope.membership is not None else frozenset()

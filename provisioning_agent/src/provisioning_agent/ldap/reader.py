"""Answering a read request: the one entry point to reading Active Directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from provisioning_agent.wire.pages import Page
from provisioning_agent.wire.requests import ReadRequest

from . import controls, delta, filters, initial, members
from .ber import BerError
from .connection import DirectoryConnection
from .dirsync import CookieRefusedError
from .domain import Controller, describe, require
from .errors import DirectoryError
from .messages import Scope, Search
from .objects import ObjectReader
from .paging import Frame, paginate
from .resources import Item, ldap_attributes
from .schema import read_syntaxes
from .scope import ReadScope, resolve
from .watermark import NESTING, PARENTS, Watermark, decode, question_of

TOMBSTONES_INVISIBLE: Final = "TombstonesInvisible"
ATTRIBUTES_UNKNOWN: Final = "AttributesUnknown"

# GUID_DELETED_OBJECTS_CONTAINER_W (MS-ADTS §6.1.1.4).
_DELETED_OBJECTS: Final = "18E2EA80684F11D2B9AA00C04F79F805"


def read(
    connection: DirectoryConnection, request: ReadRequest, now: Callable[[], datetime]
) -> Iterator[Page]:
    """The pages of the answer, while reading. Ends with a complete page or raises; never stops in between."""
    try:
        controller = describe(connection)
        require(controller, request.domain)
        yield from _Reading(connection, request, controller).pages(now)
    except (BerError, ValueError, IndexError) as error:
        # Bytes that are not what the protocol or the schema promises, wherever they turn up.
        raise DirectoryError("AdAnswerUnreadable") from error


class _Start(NamedTuple):
    """How an answer begins: its mode, what is in it, and what its watermark will say."""

    mode: str
    items: Iterator[Item]
    cookies: dict[str, bytes]
    groups: frozenset[bytes]


class _Reading:
    """One request being answered by one controller."""

    def __init__(self, connection: DirectoryConnection, request: ReadRequest, controller: Controller) -> None:
        self.connection = connection
        self.request = request
        self.controller = controller
        self.question = question_of(request)
        self.attributes = {wanted.name: ldap_attributes(wanted.attributes) for wanted in request.object_types}
        self.notes: list[str] = []
        self.graph = members.GroupGraph(connection, controller.root)

    def pages(self, now: Callable[[], datetime]) -> Iterator[Page]:
        mode, items, cookies, groups = self._start()
        if not self._sees_tombstones():
            self.notes.append(TOMBSTONES_INVISIBLE)
        mark = Watermark(self.controller.invocation_id, self.question, cookies, groups)
        replica = {"invocationId": self.controller.invocation_id, "name": self.controller.name}
        frame = Frame(mode, replica, mark.encode(), self.notes)
        return paginate(items, frame, self.request.page_size, self.request.deadline, now)

    def _start(self) -> _Start:
        roots = self.graph.require(self.request.groups)
        scope = resolve(self.connection, self.controller.root, self.request.containers)
        mark = decode(self.request.watermark) if self.request.watermark else None
        if mark is None or mark.question != self.question:
            return self._initial(scope, roots)
        return self._delta(mark, scope, roots) or self._initial(scope, roots)

    def _initial(self, scope: ReadScope, roots: frozenset[bytes]) -> _Start:
        root = self.controller.root
        streams = [*self.attributes, PARENTS, *([NESTING] if roots else [])]
        cookies = initial.start_cookies(self.connection, root, streams)
        # Cookies first: whoever comes into a group from here on comes with the next delta.
        if roots:
            scope = replace(scope, membership=members.now(self.graph, roots))
        return _Start("initial", initial.items(self._readers(), root, scope), cookies, _groups(scope))

    def _delta(self, mark: Watermark, scope: ReadScope, roots: frozenset[bytes]) -> _Start | None:
        """None where only a read from the start tells the truth."""
        root = self.controller.root
        try:
            changed = delta.gather(self.connection, root, self.attributes, mark.cookies)
        except CookieRefusedError:
            return None
        if changed.is_empty:
            # Nobody is told of a nested group whose deletion can not be seen.
            unbroken = self.graph.exist(mark.groups)
            return _Start("delta", iter(()), changed.cookies, mark.groups) if unbroken else None
        if roots:
            shift = members.shift(self.graph, roots, mark.groups, changed.streams[NESTING].by_guid)
            if shift is None:
                return None
            scope = replace(scope, membership=shift.membership)
            changed = replace(changed, entered=shift.entered, left=shift.left)
        return _Start(
            "delta", delta.items(changed, self._readers(), root, scope), changed.cookies, _groups(scope)
        )

    def _readers(self) -> list[ObjectReader]:
        names = {name for wanted in self.attributes.values() for name in wanted}
        syntaxes = read_syntaxes(self.connection, self.controller.schema, names)
        unknown = sorted(name for name in names if name.lower() not in syntaxes)
        if unknown:
            self.notes.append(f"{ATTRIBUTES_UNKNOWN}: {', '.join(unknown)}")
        return [
            ObjectReader(self.connection, wanted, syntaxes, self.request.page_size)
            for wanted in self.request.object_types
        ]

    def _sees_tombstones(self) -> bool:
        base = f"<WKGUID={_DELETED_OBJECTS},{self.controller.root}>"
        wanted = Search(
            base, filters.present("objectClass"), ("whenCreated",), Scope.BASE, (controls.show_deleted(),)
        )
        entry = self.connection.find(wanted)
        # The container may be named to us and yet show nothing, neither of itself nor of what is in it.
        return entry is not None and entry.first("whenCreated") is not None


def _groups(scope: ReadScope) -> frozenset[bytes]:
    return scope.membership.groups if scope.membership is not None else frozenset()

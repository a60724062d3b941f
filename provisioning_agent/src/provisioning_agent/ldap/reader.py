"""Answering a read request: the one entry point to reading Active Directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain
from typing import Final

from provisioning_agent.wire.pages import Page
from provisioning_agent.wire.requests import ReadRequest
from provisioning_agent.wire.shape import DELETIONS_COMPARED, OBJECTS

from . import controls, filters, lookup, presence
from .answers import Beginner, Start
from .ber import BerError
from .connection import DirectoryConnection
from .domain import Controller, describe, require
from .errors import DirectoryError
from .messages import Scope, Search
from .paging import Frame, paginate
from .watermark import Watermark, decode, question_of

TOMBSTONES_INVISIBLE: Final = "TombstonesInvisible"
READ_BY_USN: Final = "ReadByUsnChanged"

# GUID_DELETED_OBJECTS_CONTAINER_W (MS-ADTS §6.1.1.4).
_DELETED_OBJECTS: Final = "18E2EA80684F11D2B9AA00C04F79F805"


def read(
    connection: DirectoryConnection, request: ReadRequest, now: Callable[[], datetime]
) -> Iterator[Page]:
    """The pages of the answer, while reading. Ends with a complete page or raises; never stops in between."""
    try:
        controller = describe(connection)
        require(controller, request.domain)
        answer = _objects if request.objects else _pages
        yield from answer(connection, request, controller, now)
    except (BerError, ValueError, IndexError) as error:
        # Bytes that are not what the protocol or the schema promises, wherever they turn up.
        raise DirectoryError("AdAnswerUnreadable") from error


def _pages(
    connection: DirectoryConnection, request: ReadRequest, controller: Controller, now: Callable[[], datetime]
) -> Iterator[Page]:
    question, notes, moment = question_of(request), list[str](), now()
    mark = decode(request.watermark) if request.watermark else None
    if mark is not None and mark.question != question and not request.is_covered:
        mark = None
    sees = _sees_tombstones(connection, controller)
    beginner = Beginner(connection, request, controller, notes, sees)
    start = beginner.begin(mark)
    compared_at = int(moment.timestamp())
    items = start.items
    if start.mode == "delta" and mark is not None:
        if not sees and presence.is_due(mark.compared_at, moment):
            notes.append(DELETIONS_COMPARED)
            items = chain(items, presence.items(beginner.readers(), beginner.whole(start.scope)))
        else:
            compared_at = mark.compared_at
    notes += _standing(start, sees_tombstones=sees)
    new = Watermark(
        controller.invocation_id, question, start.cookies, start.groups, controller.usn, compared_at
    )
    named = [*start.scope.named, *beginner.groups]
    frame = Frame(start.mode, _replica(controller), new.encode(), notes, scope=named)
    if request.lists_containers:
        items = chain(start.containers, items)
    return paginate(items, frame, request.page_size, request.deadline, now)


def _objects(
    connection: DirectoryConnection, request: ReadRequest, controller: Controller, now: Callable[[], datetime]
) -> Iterator[Page]:
    """Single objects by name; the watermark is neither used nor made."""
    notes = list[str]()
    beginner = Beginner(connection, request, controller, notes, sees_tombstones=False)
    scope, types = beginner.scope(), beginner.attributes()
    found = [lookup.find(connection, controller.root, name, scope, types) for name in request.objects]
    items = lookup.items(found, beginner.readers())
    frame = Frame(OBJECTS, _replica(controller), "", notes, found)
    return paginate(items, frame, request.page_size, request.deadline, now)


def _replica(controller: Controller) -> dict[str, str]:
    return {"invocationId": controller.invocation_id, "name": controller.name}


def _standing(start: Start, *, sees_tombstones: bool) -> list[str]:
    """What is worth knowing of how this domain is read."""
    notes = [] if start.cookies else [READ_BY_USN]
    return notes if sees_tombstones else [*notes, TOMBSTONES_INVISIBLE]


def _sees_tombstones(connection: DirectoryConnection, controller: Controller) -> bool:
    base = f"<WKGUID={_DELETED_OBJECTS},{controller.root}>"
    wanted = Search(
        base, filters.present("objectClass"), ("whenCreated",), Scope.BASE, (controls.show_deleted(),)
    )
    entry = connection.find(wanted)
    # The container may be named to us and yet show nothing, neither of itself nor of what is in it.
    return entry is not None and entry.first("whenCreated") is not None

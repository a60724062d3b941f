"""Mapping the next page while the database merges this one.

Both take about as long as each other, and the thread that waits for PostgreSQL leaves Python to the other.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from agents.bus import pages as bus_pages
from provisioning.models import Configuration
from provisioning.services import reading
from provisioning.services.page_reader import Answer, open_page, read_answer, read_names, read_objects
from provisioning.services.reading import Reading
from provisioning.store.encoding import encoded
from provisioning.store.rows import EncodedPage, StagedPage

# Seconds. The thread that feeds the database gives Python away with every write, and waits this long to get it back.
_TURN_S: Final = 0.00005

Place = tuple[UUID, int, int]
"""Where a page is: request, attempt, number."""
MappedPage = tuple[EncodedPage, Answer]


class PagesAhead:
    """Pages of an answer, mapped; at most one is ahead of the one that was asked for."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._usual_turn_s = sys.getswitchinterval()
        self._ahead: tuple[Place, Reading, Future[MappedPage]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            sys.setswitchinterval(self._usual_turn_s)

    def take(self, place: Place, configuration: Configuration, now: datetime) -> MappedPage | None:
        """The page, mapped; None while it is not there."""
        if self._ahead is not None:
            ahead, reader, future = self._ahead
            self._ahead = None
            # Another attempt, or a mapping that was saved meanwhile, makes what was mapped ahead worthless.
            if ahead == place and reader is reading.of(configuration):
                return future.result()
        body = bus_pages.read_page(*place)
        if body is None:
            return None
        document = open_page(body)
        # Most answers bring nothing: what objects are read with is compiled only where there are some.
        reader_needed = reading.of(configuration) if document["Resources"] else None
        return _map(document, reader_needed, reading.asked(configuration).question.groups, now)

    def look(self, place: Place, configuration: Configuration, now: datetime) -> None:
        """Begin to map a page that will be asked for next, if it is there."""
        body = bus_pages.read_page(*place)
        if body is None:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="page-ahead")
            sys.setswitchinterval(_TURN_S)
        reader, groups = reading.of(configuration), reading.asked(configuration).question.groups
        self._ahead = place, reader, self._pool.submit(_open_and_map, body, reader, groups, now)


def _open_and_map(body: bytes, reader: Reading, groups: Sequence[str], now: datetime) -> MappedPage:
    return _map(open_page(body), reader, groups, now)


def _map(
    document: Mapping[str, Any], reader: Reading | None, groups: Sequence[str], now: datetime
) -> MappedPage:
    page = read_objects(document, reader, now) if reader is not None else StagedPage()
    page.names |= read_names(document, groups)
    return encoded(page), read_answer(document)

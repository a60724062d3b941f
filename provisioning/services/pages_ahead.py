"""Mapping the next page while the database merges this one, in a process of its own (:mod:`helper`).

Both take about as long as each other. An answer of one page needs no such process, and none is begun for it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from agents.bus import pages as bus_pages
from provisioning.models import Configuration
from provisioning.services import reading
from provisioning.services.helper import Helper, HelperFailed
from provisioning.services.page_reader import Answer, open_page, read_answer, read_names, read_objects
from provisioning.services.reading import Reading
from provisioning.store.encoding import encoded
from provisioning.store.rows import EncodedPage, StagedPage

logger = logging.getLogger(__name__)

Place = tuple[UUID, int, int]
"""Where a page is: request, attempt, number."""
MappedPage = tuple[EncodedPage, Answer]


@dataclass(slots=True)
class _Mapper:
    """A process that maps with one reading, and the page that it was given and not yet asked for."""

    reader: Reading
    helper: Helper[[bytes, datetime], MappedPage]
    place: Place | None = None


class PagesAhead:
    """Pages of an answer, mapped; at most one is ahead of the one that was asked for."""

    def __init__(self) -> None:
        self._mapper: _Mapper | None = None
        self._is_alone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def take(self, place: Place, configuration: Configuration, now: datetime) -> MappedPage | None:
        """The page, mapped; None while it is not there."""
        mapped = self._from_ahead(place, configuration)
        if mapped is not None:
            return mapped
        body = bus_pages.read_page(*place)
        if body is None:
            return None
        document = open_page(body)
        # Most answers bring nothing: what objects are read with is compiled only where there are some.
        reader = reading.of(configuration) if document["Resources"] else None
        return _map(document, reader, reading.asked(configuration).question.groups, now)

    def look(self, place: Place, configuration: Configuration, now: datetime) -> None:
        """Begin to map a page that will be asked for next, if it is there."""
        body = None if self._is_alone else bus_pages.read_page(*place)
        if body is None:
            return
        try:
            mapper = self._mapper_of(configuration)
            mapper.helper.give(body, now)
            mapper.place = place
        except HelperFailed as error:
            self._go_on_alone(error)

    def _from_ahead(self, place: Place, configuration: Configuration) -> MappedPage | None:
        mapper = self._mapper
        if mapper is None or mapper.place is None:
            return None
        # Another attempt, or a mapping that was saved meanwhile, makes what was mapped ahead worthless.
        if mapper.place != place or mapper.reader is not reading.of(configuration):
            self._end()
            return None
        mapper.place = None
        try:
            return mapper.helper.result()
        except HelperFailed as error:
            self._go_on_alone(error)
            return None

    def _mapper_of(self, configuration: Configuration) -> _Mapper:
        reader = reading.of(configuration)
        if self._mapper is not None and self._mapper.reader is not reader:
            self._end()
        if self._mapper is None:
            groups = reading.asked(configuration).question.groups
            self._mapper = _Mapper(reader, Helper(partial(_open_and_map, reader, groups)))
        return self._mapper

    def _go_on_alone(self, error: HelperFailed) -> None:
        """Nothing is lost: pages are still there, and are mapped when they are asked for."""
        logger.warning("the process that maps pages ahead failed (%s); each is mapped in its turn", error)
        self._mapper, self._is_alone = None, True

    def _end(self) -> None:
        mapper, self._mapper = self._mapper, None
        if mapper is not None:
            mapper.helper.end()


def _open_and_map(reader: Reading, groups: Sequence[str], body: bytes, now: datetime) -> MappedPage:
    return _map(open_page(body), reader, groups, now)


def _map(
    document: Mapping[str, Any], reader: Reading | None, groups: Sequence[str], now: datetime
) -> MappedPage:
    page = read_objects(document, reader, now) if reader is not None else StagedPage()
    page.names |= read_names(document, groups)
    return encoded(page), read_answer(document)

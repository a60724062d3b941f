"""Mapping the next pages while the database merges this one, in processes of their own (:mod:`helper`).

To map a page takes longer than to merge it, and both together longer than either: two processes that map keep two
processors busy, where one would be waited for. An answer of one page needs none, and none is begun for it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Final, Self
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

# One more finds nothing to do: the database has two processors with it.
AHEAD: Final = 2
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
    """Pages of an answer, mapped; at most :data:`AHEAD` are ahead of the one that was asked for."""

    def __init__(self) -> None:
        self._mappers: list[_Mapper] = []
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
        """Begin to map this page, which will be asked for next, and those behind it, as far as they are there."""
        request, attempt, number = place
        if any(mapper.reader is not reading.of(configuration) for mapper in self._mappers):
            self._end()
        for following in range(number, number + AHEAD):
            if self._is_alone or not self._look_at((request, attempt, following), configuration, now):
                return

    def _look_at(self, place: Place, configuration: Configuration, now: datetime) -> bool:
        """Begin to map this page, unless that has begun; false where it is not there."""
        if any(mapper.place == place for mapper in self._mappers):
            return True
        body = bus_pages.read_page(*place)
        if body is None:
            return False
        mapper = None
        try:
            mapper = self._free_mapper(configuration)
            mapper.helper.give(body, now)
            mapper.place = place
        except HelperFailed as error:
            self._go_on_alone(mapper, error)
        return True

    def _from_ahead(self, place: Place, configuration: Configuration) -> MappedPage | None:
        if all(mapper.place is None for mapper in self._mappers):
            return None
        mapper = next((one for one in self._mappers if one.place == place), None)
        # Another attempt, or a mapping that was saved meanwhile, makes what was mapped ahead worthless.
        if mapper is None or mapper.reader is not reading.of(configuration):
            self._end()
            return None
        mapper.place = None
        try:
            return mapper.helper.result()
        except HelperFailed as error:
            self._go_on_alone(mapper, error)
            return None

    def _free_mapper(self, configuration: Configuration) -> _Mapper:
        free = next((mapper for mapper in self._mappers if mapper.place is None), None)
        if free is None:
            reader, groups = reading.of(configuration), reading.asked(configuration).question.groups
            free = _Mapper(reader, Helper(partial(_open_and_map, reader, groups)))
            self._mappers.append(free)
        return free

    def _go_on_alone(self, failed: _Mapper | None, error: HelperFailed) -> None:
        """Nothing is lost: pages are still there, and are mapped when they are asked for."""
        logger.warning("a process that maps pages ahead failed (%s); each is mapped in its turn", error)
        self._mappers = [mapper for mapper in self._mappers if mapper is not failed]
        self._end()
        self._is_alone = True

    def _end(self) -> None:
        mappers, self._mappers = self._mappers, []
        for mapper in mappers:
            mapper.helper.end()


def _open_and_map(reader: Reading, groups: Sequence[str], body: bytes, now: datetime) -> MappedPage:
    return _map(open_page(body), reader, groups, now)


def _map(
    document: Mapping[str, Any], reader: Reading | None, groups: Sequence[str], now: datetime
) -> MappedPage:
    page = read_objects(document, reader, now) if reader is not None else StagedPage()
    page.names |= read_names(document, groups)
    return encoded(page), read_answer(document)

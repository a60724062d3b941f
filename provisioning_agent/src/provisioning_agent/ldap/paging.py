"""Cutting the stream of resources into answer pages of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from provisioning_agent.wire.lookups import Lookup
from provisioning_agent.wire.pages import Page

from .errors import DirectoryError
from .resources import Item

# A page is closed at this many bytes of LDAP entries; it leaves room for base64 and one large object.
MAX_PAGE_WEIGHT: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page of an answer says: how it was read, from which database copy, and what to know.

    ``watermark`` is empty and ``lookups`` is filled where single objects were asked for. ``scope`` is told once,
    on the last page.
    """

    mode: str
    replica: Mapping[str, str]
    watermark: str
    notes: Sequence[str] = ()
    lookups: Sequence[Lookup] = ()
    scope: Sequence[tuple[str, str]] = ()


def paginate(
    items: Iterable[Item], frame: Frame, size: int, deadline: datetime, now: Callable[[], datetime]
) -> Iterator[Page]:
    """Pages of at most ``size`` resources; the counts on each are those of the answer so far."""
    batch: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    weight, number = 0, 1
    for item in items:
        if len(batch) >= size or (batch and weight + item.weight > MAX_PAGE_WEIGHT):
            yield _page(batch, frame, counts, number)
            _check(deadline, now)
            batch, weight, number = [], 0, number + 1
        batch.append(item.resource)
        weight += item.weight
        if item.counts:
            name = item.resource["meta"]["resourceType"]
            counts[name] = counts.get(name, 0) + 1
    _check(deadline, now)
    yield _page(batch, frame, counts, None)


def _check(deadline: datetime, now: Callable[[], datetime]) -> None:
    if now() > deadline:
        raise DirectoryError("DeadlinePassed")


def _page(batch: list[dict[str, Any]], frame: Frame, counts: Mapping[str, int], number: int | None) -> Page:
    return Page(
        resources=batch,
        mode=frame.mode,
        next_cursor=None if number is None else str(number + 1),
        complete=number is None,
        watermark=(frame.watermark or None) if number is None else None,
        replica=frame.replica,
        counts=dict(counts),
        notes=frame.notes,
        lookups=frame.lookups,
        scope=frame.scope if number is None else (),
    )

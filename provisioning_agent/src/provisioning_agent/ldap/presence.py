"""Who is there: a light read of names only, where deletions can not be seen.

Every object in scope is named with nothing else; the service takes whatever it knows and is not named as gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from .objects import ObjectReader
from .resources import Item
from .scope import ReadScope

# Not more often, because it names the whole scope.
INTERVAL: Final = timedelta(hours=1)


def is_due(compared_at: int, now: datetime) -> bool:
    """Whether the last comparison or full read (seconds since 1970) is an hour ago."""
    return now.timestamp() - compared_at >= INTERVAL.total_seconds()


def items(readers: Iterable[ObjectReader], scope: ReadScope) -> Iterator[Item]:
    """One resource without content for every object in scope."""
    for reader in readers:
        for base in scope.bases:
            for who in reader.names_under(base):
                if scope.holds(who):
                    yield reader.maker.present(who.guid)

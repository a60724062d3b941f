"""The initial read: a cookie first, then everything in scope, page by page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from . import filters
from .connection import DirectoryConnection
from .dirsync import current_cookie
from .objects import ObjectReader
from .resources import Item
from .scope import ReadScope
from .watermark import PARENTS


def start_cookies(connection: DirectoryConnection, root: str, names: Iterable[str]) -> dict[str, bytes]:
    """One cookie for every stream, taken before reading so that what changes meanwhile comes with a delta."""
    cookie = current_cookie(connection, root, filters.nothing())
    return dict.fromkeys((*names, PARENTS), cookie)


def items(readers: Iterable[ObjectReader], scope: ReadScope) -> Iterator[Item]:
    """Every object in scope, type by type: one query for each type and container."""
    for reader in readers:
        for base in scope.bases:
            for found in reader.under(base):
                yield from reader.items(found)

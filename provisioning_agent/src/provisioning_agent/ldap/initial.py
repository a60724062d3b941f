"""The initial read: a cookie first, then everything in scope, page by page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from . import filters
from .connection import DirectoryConnection
from .dirsync import current_cookie
from .objects import USER, ObjectReader
from .resources import Item
from .scope import ReadScope


def start_cookies(connection: DirectoryConnection, root: str, streams: Iterable[str]) -> dict[str, bytes]:
    """One cookie for every stream, taken before reading so that what changes meanwhile comes with a delta."""
    cookie = current_cookie(connection, root, filters.nothing())
    return dict.fromkeys(streams, cookie)


def items(readers: Iterable[ObjectReader], root: str, scope: ReadScope) -> Iterator[Item]:
    """Every object in scope, type by type: one query for each type and container, or the members by GUID.

    Users come last. A controller looks at everything that a paged search finds before it gives the first page (Samba:
    40 µs an object), and of users there are most: the service then has the others to work on meanwhile.
    """
    for reader in sorted(readers, key=lambda one: one.name == USER):
        if scope.membership is not None:
            members = (str(uuid.UUID(bytes=raw)) for raw in scope.membership.members)
            for found in reader.named(root, members):
                if scope.holds(found.reference):
                    yield from reader.items(found)
            continue
        for base in scope.bases:
            for found in reader.under(base):
                yield from reader.items(found)

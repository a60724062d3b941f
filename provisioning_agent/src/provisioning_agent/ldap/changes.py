"""Change notification: a search that the controller leaves open, and answers when something changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from . import controls, filters
from .connection import DirectoryConnection, Entry
from .domain import describe
from .messages import Search

# What the cloud may want to know of, by objectClass; parents because their rename changes the names below.
_RELEVANT: Final = frozenset(
    {b"user", b"group", b"contact", b"organizationalUnit", b"container", b"domainDNS"}
)
_COMPUTER: Final = b"computer"


def watch(connection: DirectoryConnection, patience_s: float) -> Iterator[bool]:
    """True for each change that may concern the cloud, False after so many seconds without any answer.

    One search on the domain's root is enough, of the five that a connection may have (MS-ADTS §3.1.1.3.4.1.9);
    the filter has to be this one.
    """
    search = Search(
        describe(connection).root,
        filters.present("objectClass"),
        ("objectClass",),
        controls=(controls.show_deleted(),),
    )
    for entry in connection.watch(search, controls.notification(), patience_s):
        if entry is None:
            yield False
        elif _concerns_us(entry):
            yield True


def _concerns_us(entry: Entry) -> bool:
    classes = {value for values in entry.attributes.values() for value in values}
    # Computers change their passwords and addresses all day; without a class to read nothing is ruled out.
    return not classes or (_COMPUTER not in classes and not _RELEVANT.isdisjoint(classes))

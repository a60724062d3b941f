"""Attribute syntaxes from the AD schema (MS-ADTS §3.1.1.2.2.2), read for just the names that are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto
from typing import Final, NamedTuple

from . import filters
from .connection import DirectoryConnection
from .messages import Scope, Search

# Filters of more parts than this are split, far below any server's limit.
_NAMES_PER_QUERY: Final = 200


class Kind(Enum):
    """How values of an attribute are written in JSON."""

    TEXT = auto()
    BOOLEAN = auto()
    INTEGER = auto()
    BINARY = auto()
    REFERENCE = auto()


class Syntax(NamedTuple):
    """The kind of an attribute's values and whether there can be several."""

    kind: Kind
    single: bool


_KINDS: Final = {
    "2.5.5.1": Kind.REFERENCE,
    "2.5.5.8": Kind.BOOLEAN,
    "2.5.5.9": Kind.INTEGER,
    "2.5.5.10": Kind.BINARY,
    "2.5.5.15": Kind.BINARY,
    "2.5.5.16": Kind.INTEGER,
    "2.5.5.17": Kind.BINARY,
}


def read_syntaxes(connection: DirectoryConnection, schema: str, names: Iterable[str]) -> dict[str, Syntax]:
    """Syntax by lower-case attribute name; names the schema does not know are left out."""
    wanted = sorted({name.lower() for name in names})
    found: dict[str, Syntax] = {}
    for at in range(0, len(wanted), _NAMES_PER_QUERY):
        found.update(_query(connection, schema, wanted[at : at + _NAMES_PER_QUERY]))
    return found


def _query(connection: DirectoryConnection, schema: str, names: list[str]) -> dict[str, Syntax]:
    wanted = filters.all_of(
        filters.equals("objectClass", "attributeSchema"),
        filters.any_of(filters.equals("lDAPDisplayName", name) for name in names),
    )
    attributes = ("lDAPDisplayName", "attributeSyntax", "isSingleValued")
    return {
        entry.text("lDAPDisplayName").lower(): Syntax(
            _KINDS.get(entry.text("attributeSyntax"), Kind.TEXT),
            entry.text("isSingleValued") == "TRUE",
        )
        for entry in connection.search(Search(schema, wanted, attributes, Scope.ONE_LEVEL))
    }

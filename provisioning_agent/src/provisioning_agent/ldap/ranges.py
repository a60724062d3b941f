"""Values a server hands out in ranges only (MS-ADTS §3.1.1.3.1.3.3): read to the end, checked for change."""

from __future__ import annotations

from typing import Final

from . import controls, filters
from .connection import DirectoryConnection, Entry
from .convert import RANGE_MARK
from .errors import DirectoryError
from .messages import Scope, Search
from .names import guid_base
from .resources import is_cut

_ATTEMPTS: Final = 3


def read_whole(connection: DirectoryConnection, guid: str, attributes: tuple[str, ...]) -> Entry | None:
    """One object with every value, None if it is gone.

    Ranges are positions, so a value removed meanwhile would shift another one out of sight: the object is
    read again if it changed underneath.
    """
    for _ in range(_ATTEMPTS):
        entry = _read(connection, guid, (*attributes, "uSNChanged"))
        if entry is None:
            return None
        while is_cut(entry.attributes):
            _extend(connection, guid, entry)
        after = _read(connection, guid, ("uSNChanged",))
        if after is not None and after.first("uSNChanged") == entry.first("uSNChanged"):
            return entry
    raise DirectoryError(
        "AdBusy", "A large group kept changing while it was read; it is asked for again later."
    )


def _read(connection: DirectoryConnection, guid: str, attributes: tuple[str, ...]) -> Entry | None:
    extended = (controls.extended_dn(),)
    return connection.find(
        Search(guid_base(guid), filters.present("objectClass"), attributes, Scope.BASE, extended)
    )


def _extend(connection: DirectoryConnection, guid: str, entry: Entry) -> None:
    """Replace each cut attribute of ``entry`` by one range longer."""
    for spelled in [name for name in entry.attributes if is_cut({name: []})]:
        attribute, _, span = spelled.partition(RANGE_MARK)
        following = int(span.partition(b"-")[2]) + 1
        asked = f"{attribute.decode()};range={following}-*"
        more = _read(connection, guid, (asked,))
        values = entry.attributes.pop(spelled)
        end = _append(values, attribute, more)
        entry.attributes[attribute + RANGE_MARK + b"0-" + end] = values


def _append(values: list[bytes], attribute: bytes, more: Entry | None) -> bytes:
    """Add the next range's values; returns where it ends, ``*`` if there is nothing beyond."""
    for spelled, further in more.attributes.items() if more else ():
        if spelled.lower().startswith(attribute.lower() + RANGE_MARK):
            values += further
            return spelled.rpartition(b"-")[2]
    return b"*"

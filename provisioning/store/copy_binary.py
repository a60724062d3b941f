"""COPY's binary format (PostgreSQL manual, COPY, Binary Format): rows made by hand, for tables with wide rows.

The server takes them a fifth cheaper than lines of text, and nothing in them has to be escaped. The driver's own way
costs more than the mapping of an object.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END: Final = b"\xff\xff"
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_length = Struct("!i").pack
_bigint = Struct("!iq").pack

NULL: Final = _length(-1)
TRUE: Final = _length(1) + b"\1"
FALSE: Final = _length(1) + b"\0"


def rows(pieces: Iterable[bytes]) -> bytes:
    """A whole COPY of rows, in whatever pieces; each row is a :func:`start` and its fields."""
    return b"".join((_HEADER, *pieces, _END))


def start(fields: int) -> bytes:
    """What a row begins with: how many fields follow."""
    return fields.to_bytes(2)


def raw(value: bytes) -> bytes:
    """A bytea, or whatever else is sent as its bytes."""
    return _length(len(value)) + value


def text(value: str | None) -> bytes:
    """A text."""
    return NULL if value is None else raw(value.encode())


def flag(value: bool) -> bytes:
    """A boolean."""
    return TRUE if value else FALSE


def bigint(value: int | None) -> bytes:
    """A bigint."""
    return NULL if value is None else _bigint(8, value)


def moment(value: datetime | None) -> bytes:
    """A timestamptz."""
    return NULL if value is None else _bigint(8, (value - _EPOCH) // _MICROSECOND)

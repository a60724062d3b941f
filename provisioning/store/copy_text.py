"""COPY's text format (PostgreSQL manual, COPY, File Formats): rows as lines, made by hand.

For tables that take a million rows in one go: the driver's own way costs more than the mapping of an object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NULL: Final = b"\\N"
TRUE: Final = b"t"
FALSE: Final = b"f"


def text(value: str | None) -> bytes:
    """A text, a number or a time as a field."""
    return NULL if value is None else escape(value.encode())


def flag(value: bool) -> bytes:
    """A boolean as a field."""
    return TRUE if value else FALSE


def hexadecimal(value: bytes) -> bytes:
    """A bytea as a field."""
    return b"\\\\x" + value.hex().encode()


def escape(value: bytes) -> bytes:
    """What stands for itself, and what would end a field or a line."""
    return value.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\t", b"\\t").replace(b"\r", b"\\r")


def pairs(left: str, right: Iterable[str], *rest: str) -> str:
    """Lines that share their first field, and the fields after the second."""
    first, last = f"{left}\t", "".join(f"\t{one}" for one in rest) + "\n"
    return "".join([f"{first}{one}{last}" for one in right])

"""Security identifiers (MS-DTYP §2.4.2): the binary form of objectSid, and the text form of member names."""

from __future__ import annotations

from typing import Final

_HEADER: Final = 8
_MAX_PARTS: Final = 15


class MalformedError(ValueError):
    """Bytes or text that are not the security structure they should be."""


def length(data: bytes, at: int = 0) -> int:
    """Octets of the SID that starts at ``at``; ``MalformedError`` if it does not fit."""
    if len(data) < at + _HEADER or data[at] != 1 or data[at + 1] > _MAX_PARTS:
        raise MalformedError("there is no SID where one should be")
    size = _HEADER + 4 * data[at + 1]
    if len(data) < at + size:
        raise MalformedError("a SID ends in the middle")
    return size


def to_text(sid: bytes) -> str:
    """``S-1-…``."""
    if length(sid) != len(sid):
        raise MalformedError("a SID is followed by other bytes")
    parts = [int.from_bytes(sid[at : at + 4], "little") for at in range(_HEADER, len(sid), 4)]
    return "-".join(["S", "1", str(int.from_bytes(sid[2:8], "big")), *map(str, parts)])


def from_text(text: str) -> bytes:
    """The binary form of ``S-1-…``."""
    try:
        marker, revision, authority, *parts = text.split("-")
        numbers = [int(part) for part in parts]
        if marker != "S" or revision != "1" or len(numbers) > _MAX_PARTS:
            raise MalformedError(f"{text!r} is no SID")
        body = b"".join(number.to_bytes(4, "little") for number in numbers)
        return bytes((1, len(numbers))) + int(authority).to_bytes(6, "big") + body
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{text!r} is no SID") from error

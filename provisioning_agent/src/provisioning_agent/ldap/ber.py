"""The few BER rules LDAP needs (X.690, RFC 4511 §5.1): definite lengths, low tag numbers."""

from __future__ import annotations

from typing import Final

INTEGER: Final = 0x02
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
SEQUENCE: Final = 0x30


class BerError(Exception):
    """Bytes that are not the BER they should be."""


def tlv(tag: int, content: bytes) -> bytes:
    """One element: tag, shortest length, content."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A signed integer in the fewest octets (X.690 §8.3)."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def boolean(value: bool) -> bytes:
    """A boolean; true is 0xFF (RFC 4511 §5.1)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def octets(value: bytes, tag: int = OCTET_STRING) -> bytes:
    """An octet string."""
    return tlv(tag, value)


def sequence(*parts: bytes, tag: int = SEQUENCE) -> bytes:
    """A constructed element of already encoded parts."""
    return tlv(tag, b"".join(parts))


def header(data: bytes | bytearray, pos: int) -> tuple[int, int, int]:
    """Read one header at ``pos``: (tag, start of content, end of content)."""
    try:
        tag, size = data[pos], data[pos + 1]
        start = pos + 2
        if size >= 0x80:
            digits = size & 0x7F
            if not 1 <= digits <= 8:
                raise BerError("a length is not in definite form")
            start += digits
            size = int.from_bytes(data[pos + 2 : start], "big")
    except IndexError as error:
        raise BerError("the bytes end inside a header") from error
    return tag, start, start + size


def items(data: bytes, start: int, end: int) -> list[tuple[int, bytes]]:
    """The elements between two positions as (tag, content)."""
    found = []
    while start < end:
        tag, inner, stop = header(data, start)
        if stop > end:
            raise BerError("an element is longer than what holds it")
        found.append((tag, data[inner:stop]))
        start = stop
    return found


def children(content: bytes) -> list[tuple[int, bytes]]:
    """The elements that make up the content of a constructed element."""
    return items(content, 0, len(content))


def to_int(content: bytes) -> int:
    """The value of an integer's content octets."""
    return int.from_bytes(content, "big", signed=True)

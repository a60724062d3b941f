"""Search filters in encoded form (RFC 4511 §4.5.1.7): values go in as bytes, so nothing is ever escaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NewType

from . import ber

Filter = NewType("Filter", bytes)


def equals(attribute: str, value: str | bytes) -> Filter:
    """``attribute`` has this value."""
    raw = value.encode() if isinstance(value, str) else value
    return Filter(ber.sequence(ber.octets(attribute.encode()), ber.octets(raw), tag=0xA3))


def at_least(attribute: str, number: int) -> Filter:
    """``attribute`` has a number from this one on."""
    value = ber.octets(str(number).encode())
    return Filter(ber.sequence(ber.octets(attribute.encode()), value, tag=0xA5))


def present(attribute: str) -> Filter:
    """``attribute`` has any value."""
    return Filter(ber.octets(attribute.encode(), tag=0x87))


def all_of(*parts: Filter) -> Filter:
    """Every part holds."""
    return Filter(ber.sequence(*parts, tag=0xA0))


def any_of(parts: Iterable[Filter]) -> Filter:
    """At least one part holds."""
    return Filter(ber.sequence(*parts, tag=0xA1))


def negate(part: Filter) -> Filter:
    """The part does not hold."""
    return Filter(ber.sequence(part, tag=0xA2))


def object_type(name: str) -> Filter:
    """The objects of one type that may be read at all; critical system objects never are."""
    parts = [equals("objectClass", name), negate(equals("isCriticalSystemObject", "TRUE"))]
    if name == "user":
        # A computer is a user by inheritance (MS-ADSC).
        parts.insert(1, negate(equals("objectClass", "computer")))
    return all_of(*parts)


def parents() -> Filter:
    """The objects whose rename or move changes the DN of others."""
    return any_of(equals("objectClass", name) for name in ("organizationalUnit", "container", "domainDNS"))


def nothing() -> Filter:
    """Matches no object: no object has the null GUID."""
    return equals("objectGUID", bytes(16))


def guids(values: Iterable[bytes]) -> Filter:
    """Objects with one of these raw 16-byte objectGUIDs."""
    return any_of(equals("objectGUID", value) for value in values)

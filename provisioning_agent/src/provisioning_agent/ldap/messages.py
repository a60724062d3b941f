"""LDAP messages in and out (RFC 4511 §4): encoding a search, taking answers apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from . import ber
from .ber import BerError
from .filters import Filter

SEARCH_ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
SEARCH_REFERENCE: Final = 0x73
EXTENDED_RESPONSE: Final = 0x78
# What ends an operation: the results of bind, search, modify and add (RFC 4511 §4.2.2, §4.5.2, §4.6, §4.7).
RESULTS: Final = frozenset({0x61, SEARCH_DONE, 0x67, 0x69})
_BIND_REQUEST: Final = 0x60
_SASL: Final = 0xA3
_SASL_ANSWER: Final = 0x87
_SEARCH_REQUEST: Final = 0x63
_MODIFY_REQUEST: Final = 0x66
_ADD_REQUEST: Final = 0x68
_SET: Final = 0x31
_CONTROLS: Final = 0xA0
_REFERRAL: Final = 0xA3


class Scope(IntEnum):
    """How deep a search looks."""

    BASE = 0
    ONE_LEVEL = 1
    SUBTREE = 2


@dataclass(frozen=True, slots=True)
class Search:
    """One search; ``time_limit`` in seconds, 0 leaves it to the server."""

    base: str
    filter: Filter
    attributes: Sequence[str]
    scope: Scope = Scope.SUBTREE
    controls: tuple[bytes, ...] = ()
    time_limit: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """The result that ends a search; ``code`` per RFC 4511 §4.1.9, ``credentials`` what a bind has to say."""

    code: int
    message: str
    controls: dict[str, bytes]
    credentials: bytes = field(default=b"", repr=False)


class How(IntEnum):
    """What a change does to an attribute's values (RFC 4511 §4.6)."""

    ADD = 0
    DELETE = 1
    REPLACE = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one attribute."""

    how: How
    attribute: str
    values: Sequence[bytes]


def encode_search(message_id: int, search: Search, extra: bytes = b"") -> bytes:
    """The complete LDAPMessage; ``extra`` is one more encoded control."""
    request = ber.sequence(
        ber.octets(search.base.encode()),
        ber.integer(search.scope, ber.ENUMERATED),
        ber.integer(0, ber.ENUMERATED),
        ber.integer(0),
        ber.integer(search.time_limit),
        ber.boolean(False),
        search.filter,
        ber.sequence(*(ber.octets(name.encode()) for name in search.attributes)),
        tag=_SEARCH_REQUEST,
    )
    controls = b"".join(search.controls) + extra
    tail = ber.tlv(_CONTROLS, controls) if controls else b""
    return ber.sequence(ber.integer(message_id), request, tail)


def encode_replace(
    message_id: int, dn: str, attribute: str, values: Sequence[bytes], controls: bytes
) -> bytes:
    """A ModifyRequest that replaces all values of one attribute (RFC 4511 §4.6)."""
    return encode_changes(message_id, dn, [Change(How.REPLACE, attribute, values)], controls)


def encode_changes(message_id: int, dn: str, changes: Sequence[Change], controls: bytes = b"") -> bytes:
    """A ModifyRequest: all of the changes or none of them (RFC 4511 §4.6)."""
    parts = [
        ber.sequence(ber.integer(one.how, ber.ENUMERATED), _attribute(one.attribute, one.values))
        for one in changes
    ]
    request = ber.sequence(ber.octets(dn.encode()), ber.sequence(*parts), tag=_MODIFY_REQUEST)
    tail = ber.tlv(_CONTROLS, controls) if controls else b""
    return ber.sequence(ber.integer(message_id), request, tail)


def encode_add(message_id: int, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> bytes:
    """An AddRequest (RFC 4511 §4.7)."""
    parts = [_attribute(name, values) for name, values in attributes.items()]
    request = ber.sequence(ber.octets(dn.encode()), ber.sequence(*parts), tag=_ADD_REQUEST)
    return ber.sequence(ber.integer(message_id), request)


def encode_sasl_bind(message_id: int, mechanism: str, token: bytes) -> bytes:
    """A BindRequest of version 3 by SASL (RFC 4511 §4.2)."""
    sasl = ber.sequence(ber.octets(mechanism.encode()), ber.octets(token), tag=_SASL)
    request = ber.sequence(ber.integer(3), ber.octets(b""), sasl, tag=_BIND_REQUEST)
    return ber.sequence(ber.integer(message_id), request)


def _attribute(name: str, values: Sequence[bytes]) -> bytes:
    return ber.sequence(
        ber.octets(name.encode()), ber.sequence(*(ber.octets(value) for value in values), tag=_SET)
    )


def kind_of(frame: bytes) -> tuple[int, int]:
    """(message id, tag of the operation) of one complete message."""
    _, start, _ = ber.header(frame, 0)
    _, inner, stop = ber.header(frame, start)
    if stop >= len(frame):
        raise BerError("a message has no operation")
    return ber.to_int(frame[inner:stop]), frame[stop]


def decode_done(frame: bytes) -> Done:
    """Take the result of an operation apart, its controls by OID."""
    try:
        parts = ber.children(ber.children(frame)[0][1])
        fields = ber.children(parts[1][1])
        controls = parts[2][1] if len(parts) > 2 and parts[2][0] == _CONTROLS else b""
        return Done(
            ber.to_int(fields[0][1]),
            fields[2][1].decode(errors="replace"),
            _decode_controls(controls),
            next((content for tag, content in fields[3:] if tag == _SASL_ANSWER), b""),
        )
    except IndexError as error:
        raise BerError("a result lacks a part") from error


def _decode_controls(content: bytes) -> dict[str, bytes]:
    found = {}
    for _, control in ber.children(content):
        parts = ber.children(control)
        value = parts[-1][1] if len(parts) > 1 and parts[-1][0] == ber.OCTET_STRING else b""
        found[parts[0][1].decode()] = value
    return found


def entry_name(frame: bytes) -> tuple[bytes, int]:
    """The name of a SearchResultEntry, and where its attributes start."""
    _, pos, _ = ber.header(frame, 0)
    _, pos, _ = ber.header(frame, ber.header(frame, pos)[2])
    _, start, stop = ber.header(frame, pos)
    return frame[start:stop], stop


def decode_entry(frame: bytes) -> tuple[bytes, dict[bytes, list[bytes]]]:
    """A SearchResultEntry as (name, values by attribute name)."""
    try:
        return _decode_entry(frame)
    except IndexError as error:
        raise BerError("an entry ends in the middle") from error


def _decode_entry(data: bytes) -> tuple[bytes, dict[bytes, list[bytes]]]:
    header = ber.header
    name, pos = entry_name(data)
    _, pos, end = header(data, pos)
    if end > len(data):
        raise BerError("an entry ends in the middle")
    found: dict[bytes, list[bytes]] = {}
    while pos < end:
        size = data[pos + 1]
        pos += 2 if size < 0x80 else size - 0x7E
        size = data[pos + 1]
        if size < 0x80:
            pos += 2
            stop = pos + size
        else:
            _, pos, stop = header(data, pos)
        attribute = data[pos:stop]
        size = data[stop + 1]
        if size < 0x80:
            pos = stop + 2
            stop = pos + size
        else:
            _, pos, stop = header(data, stop)
        values = []
        while pos < stop:
            size = data[pos + 1]
            if size < 0x80:
                pos += 2
                after = pos + size
            else:
                _, pos, after = header(data, pos)
            values.append(data[pos:after])
            pos = after
        found[attribute] = values
    if pos != end:
        raise BerError("an entry's attributes do not fill it")
    return name, found

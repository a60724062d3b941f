"""Attribute values from LDAP bytes to JSON, by one converter per attribute chosen once per request.

A text that is not UTF-8, or holds a NUL (as userParameters does), becomes base64: no value is lost or
mangled, and none is a text that databases refuse.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from . import ber
from .names import parse_extended
from .schema import Kind, Syntax

Scalar = Callable[[bytes], Any]

RANGE_MARK: Final = b";range="


class Rule(NamedTuple):
    """The name to write an attribute under, whether as one value or a list, and how to write a value."""

    name: str
    single: bool
    scalar: Scalar


def _text(value: bytes) -> str:
    if b"\0" in value:
        return _binary(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _binary(value)


def _binary(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


def _boolean(value: bytes) -> bool:
    return value == b"TRUE"


def _reference(value: bytes) -> dict[str, str]:
    guid, dn = parse_extended(value)
    return {"value": guid, "display": dn}


_SCALARS: Final[Mapping[Kind, Scalar]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: int,
    Kind.BINARY: _binary,
    Kind.REFERENCE: _reference,
}


class Plan(dict[bytes, Rule | None]):
    """Rules by attribute name as the server spells it; spellings are learned as they come up."""

    def __init__(self, wanted: Iterable[str], syntaxes: Mapping[str, Syntax]) -> None:
        super().__init__()
        self._rules = {
            name.lower().encode(): Rule(name, syntax.single, _SCALARS[syntax.kind])
            for name in wanted
            if (syntax := syntaxes.get(name.lower())) is not None
        }

    def __missing__(self, spelled: bytes) -> Rule | None:
        rule = self._rules.get(spelled.lower().partition(RANGE_MARK)[0])
        self[spelled] = rule
        return rule

    def apply(self, attributes: Mapping[bytes, list[bytes]]) -> dict[str, Any]:
        """Convert every wanted attribute that has a value."""
        into: dict[str, Any] = {}
        for spelled, values in attributes.items():
            rule = self[spelled]
            if rule is not None and values:
                name, single, scalar = rule
                into[name] = scalar(values[0]) if single else [scalar(value) for value in values]
        return into

    def convert(self, data: bytes, pos: int) -> dict[str, Any]:
        """The same, straight from an entry's bytes; ``pos`` is where its attributes start.

        This and `messages.decode_entry` are the two loops that run for every object of a domain, this one for
        each of its attributes: one value of less than 128 bytes, which most are, is read in place.
        """
        into: dict[str, Any] = {}
        _, pos, end = ber.header(data, pos)
        if end > len(data):
            raise ber.BerError("an entry ends in the middle")
        while pos < end:
            size = data[pos + 1]
            if size < 0x80:
                # Short as a whole, so each length inside is one byte too: 30 size 04 n name 31 m 04 k value.
                after = pos + 2 + size
                stop = pos + 4 + data[pos + 3]
                at = stop + 4
                if at < after and at + data[stop + 3] == after:
                    rule = self[data[pos + 4 : stop]]
                    pos = after
                    if rule is not None:
                        name, single, scalar = rule
                        value = scalar(data[at:after])
                        into[name] = value if single else [value]
                    continue
            pos = self._convert_one(data, pos, into)
        if pos != end:
            raise ber.BerError("an entry's attributes do not fill it")
        return into

    def _convert_one(self, data: bytes, pos: int, into: dict[str, Any]) -> int:
        """Any attribute, and where the next one starts."""
        _, pos, end = ber.header(data, pos)
        _, pos, stop = ber.header(data, pos)
        rule = self[data[pos:stop]]
        _, pos, stop = ber.header(data, stop)
        if stop != end:
            raise ber.BerError("an attribute's values do not fill it")
        if rule is None or pos >= stop:
            return stop
        name, single, scalar = rule
        values = []
        while pos < stop:
            size = data[pos + 1]
            if size < 0x80:
                pos += 2
                after = pos + size
            else:
                _, pos, after = ber.header(data, pos)
            values.append(scalar(data[pos:after]))
            pos = after
        into[name] = values[0] if single else values
        return pos

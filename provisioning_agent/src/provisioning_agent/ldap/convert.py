"""Attribute values from LDAP bytes to JSON, by one converter per attribute chosen once per request.

A text that is not UTF-8, or holds a NUL (as userParameters does), becomes base64: no value is lost or
mangled, and none is a text that databases refuse.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from .names import parse_extended
from .schema import Kind, Syntax

Converter = Callable[[list[bytes]], Any]

RANGE_MARK: Final = b";range="


class Rule(NamedTuple):
    """The name to write an attribute under, and how."""

    name: str
    convert: Converter


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


_SCALARS: Final[Mapping[Kind, Callable[[bytes], Any]]] = {
    Kind.TEXT: _text,
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: int,
    Kind.BINARY: _binary,
    Kind.REFERENCE: _reference,
}


def converter(syntax: Syntax) -> Converter:
    """Single-valued attributes become a scalar, multi-valued ones a list."""
    scalar = _SCALARS[syntax.kind]
    if syntax.single:
        return lambda values: scalar(values[0])
    return lambda values: [scalar(value) for value in values]


class Plan(dict[bytes, Rule | None]):
    """Rules by attribute name as the server spells it; spellings are learned as they come up."""

    def __init__(self, wanted: Iterable[str], syntaxes: Mapping[str, Syntax]) -> None:
        super().__init__()
        self._rules = {
            name.lower().encode(): Rule(name, converter(syntaxes[name.lower()]))
            for name in wanted
            if name.lower() in syntaxes
        }

    def __missing__(self, spelled: bytes) -> Rule | None:
        rule = self._rules.get(spelled.lower().partition(RANGE_MARK)[0])
        self[spelled] = rule
        return rule

    def apply(self, attributes: Mapping[bytes, list[bytes]], into: dict[str, Any]) -> None:
        """Convert every wanted attribute that has a value."""
        for spelled, values in attributes.items():
            rule = self[spelled]
            if rule is not None and values:
                into[rule.name] = rule.convert(values)

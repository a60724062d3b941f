"""The operators of scope clauses, by the names Graph and its portal give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Operator:
    """A clause operator: whether it takes values, and the attribute types it is meant for."""

    name: str
    arity: Literal["Unary", "Binary"]
    types: tuple[str, ...]
    supported: bool = True


_TEXT: Final = ("String",)
_PLAIN: Final = ("String", "Integer")
_ANY: Final = ("String", "Integer", "Boolean", "Reference", "Binary", "DateTime")

_ALL: Final = (
    Operator("EQUALS", "Binary", _PLAIN),
    Operator("NOT EQUALS", "Binary", _PLAIN),
    Operator("REGEX MATCH", "Binary", _TEXT),
    Operator("NOT REGEX MATCH", "Binary", _TEXT),
    Operator("IS NULL", "Unary", _ANY),
    Operator("IS NOT NULL", "Unary", _ANY),
    Operator("IS TRUE", "Unary", ("Boolean",)),
    Operator("IS FALSE", "Unary", ("Boolean",)),
    Operator("PRESENT", "Unary", _ANY),
    Operator("INCLUDES", "Binary", _TEXT),
    Operator("ENDS_WITH", "Binary", _TEXT),
    Operator("GREATER_THAN", "Binary", _PLAIN),
    Operator("GREATER_THAN_OR_EQUALS", "Binary", _PLAIN),
    Operator("&", "Binary", _PLAIN),
    Operator("!&", "Binary", _PLAIN),
    Operator("!&L", "Binary", _PLAIN),
    Operator("VALID CERT MATCH", "Binary", ("Binary",)),
    Operator("IS_MEMBER_OF", "Binary", ("Reference",), supported=False),
)

OPERATORS: Final[Mapping[str, Operator]] = MappingProxyType({each.name: each for each in _ALL})


def find_operator(name: str) -> Operator | None:
    """The operator of that name; case, and blanks against underscores, do not matter."""
    wanted = _plain(name)
    return next((each for each in _ALL if _plain(each.name) == wanted), None)


def _plain(name: str) -> str:
    return name.upper().replace("_", " ").strip()

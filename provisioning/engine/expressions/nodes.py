"""The syntax tree of an expression. Positions count characters from 0 and do not affect equality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

KEYWORDS: Final = ("vbTextCompare", "vbBinaryCompare", "Unicode", "ASCII", "UTF8", "True", "False")
COMPARISONS: Final = ("<>", ">=", "<=", "=", ">", "<")


@dataclass(frozen=True, slots=True)
class Attribute:
    """[name]: the value of a source attribute."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted literal, without its quotes and escapes."""

    value: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    """A bare number as written: decimal digits, optional sign and fraction, or &H hex."""

    literal: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Keyword:
    """One of KEYWORDS."""

    name: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Omitted:
    """An empty argument slot."""

    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments as written, empty slots included."""

    name: str
    arguments: tuple[Node, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """left operator right, operator being one of COMPARISONS."""

    operator: str
    left: Node
    right: Node
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Concatenation:
    """Two or more parts joined by &."""

    parts: tuple[Node, ...]
    position: int = field(default=0, compare=False)


Node: TypeAlias = Attribute | Text | Number | Keyword | Omitted | Call | Comparison | Concatenation


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in the order they are written."""
    if isinstance(node, Call):
        return node.arguments
    if isinstance(node, Comparison):
        return (node.left, node.right)
    if isinstance(node, Concatenation):
        return node.parts
    return ()


def walk(node: Node) -> list[Node]:
    """The node and everything below it, parents before children."""
    found = [node]
    for seen in found:
        found.extend(children(seen))
    return found


def attribute_names(node: Node) -> frozenset[str]:
    """The source attributes an expression reads."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Attribute))


def function_names(node: Node) -> frozenset[str]:
    """The functions an expression calls."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Call))


def respelt(node: Node, spelling: Mapping[str, str]) -> Node:
    """The node with attribute names replaced by the spelling of their lower-case form."""
    match node:
        case Attribute(name):
            return replace(node, name=spelling.get(name.lower(), name))
        case Call(_, arguments):
            return replace(node, arguments=tuple(respelt(part, spelling) for part in arguments))
        case Comparison(_, left, right):
            return replace(node, left=respelt(left, spelling), right=respelt(right, spelling))
        case Concatenation(parts):
            return replace(node, parts=tuple(respelt(part, spelling) for part in parts))
        case _:
            return node

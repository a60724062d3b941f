"""From the syntax tree back to text, in the shortest form that parses to the same tree."""

from __future__ import annotations

from provisioning.engine.expressions.nodes import (
    Attribute,
    Call,
    Comparison,
    Concatenation,
    Keyword,
    Node,
    Number,
    Text,
)


def print_expression(node: Node) -> str:
    """The text of an expression; parse(print_expression(node)) == node for every parsed node."""
    match node:
        case Attribute(name):
            return f"[{name}]"
        case Text(value):
            return quote(value)
        case Number(literal):
            return literal
        case Keyword(name):
            return name
        case Call(name, arguments):
            return f"{name}({','.join(map(print_expression, arguments))})"
        case Comparison(operator, left, right):
            return f"{print_expression(left)}{operator}{print_expression(right)}"
        case Concatenation(parts):
            return "&".join(map(print_expression, parts))
        case _:
            return ""


def quote(value: str) -> str:
    """A text literal with its quotes, backslash and quote escaped."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

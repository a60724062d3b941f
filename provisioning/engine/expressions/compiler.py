"""Syntax tree to closure: all look-ups happen here, once, so that evaluation is calls alone."""

from __future__ import annotations

from typing import Final

from provisioning.engine.comparison import COMPARE
from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import ExpressionSyntaxError
from provisioning.engine.expressions.definitions import CallSite, absent
from provisioning.engine.expressions.functions import find_function
from provisioning.engine.expressions.nodes import (
    Attribute,
    Call,
    Comparison,
    Concatenation,
    Keyword,
    Node,
    Number,
    Omitted,
    Text,
)
from provisioning.engine.values import Attributes, Compiled, Value, limited, text

_BOOLEANS: Final = {"True": True, "False": False}


def compile_expression(node: Node, *, target: str = "") -> Compiled:
    """A closure (attributes, context) -> Value; it raises EvaluationError and nothing else.

    target is the target attribute for which SelectUniqueValue asks the target.
    """
    match node:
        case Attribute(name):
            return lambda attributes, _context: attributes.get(name)
        case Text() | Number() | Keyword():
            return constant(literal_value(node))
        case Call():
            return _compile_call(node, target)
        case Comparison():
            return _compile_comparison(node, target)
        case Concatenation():
            return _compile_concatenation(node, target)
        case Omitted():
            return absent


def constant(value: Value) -> Compiled:
    """A closure that always gives the same value."""
    return lambda _attributes, _context: value


def literal_value(node: Text | Number | Keyword) -> Value:
    """What a literal stands for; a number with a fraction stays text, no attribute type holds it."""
    if isinstance(node, Text):
        return node.value
    if isinstance(node, Keyword):
        return _BOOLEANS.get(node.name, node.name)
    if node.literal[0] == "&":
        return int(node.literal[2:], 16)
    return node.literal if "." in node.literal else int(node.literal)


def _compile_call(call: Call, target: str) -> Compiled:
    definition = find_function(call.name)
    if definition is None:
        raise ExpressionSyntaxError(call.position, "the name of a function")
    arguments = tuple(
        None if isinstance(argument, Omitted) else compile_expression(argument, target=target)
        for argument in call.arguments
    )
    return definition.build(CallSite(call.arguments, arguments, target))


def _compile_comparison(node: Comparison, target: str) -> Compiled:
    compare = COMPARE[node.operator]
    left = compile_expression(node.left, target=target)
    right = compile_expression(node.right, target=target)
    return lambda attributes, context: compare(left(attributes, context), right(attributes, context))


def _compile_concatenation(node: Concatenation, target: str) -> Compiled:
    parts = [compile_expression(part, target=target) for part in node.parts]

    def concatenate(attributes: Attributes, context: EvaluationContext) -> Value:
        joined = ""
        for part in parts:
            joined = limited(joined + (text(part(attributes, context)) or ""))
        return joined

    return concatenate

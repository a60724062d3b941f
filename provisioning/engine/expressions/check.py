"""What the grammar can not say: number and kind of arguments, and where some functions may stand."""

from __future__ import annotations

import re
from typing import Final

from provisioning.engine.errors import EvaluationError, ExpressionSyntaxError
from provisioning.engine.expressions.definitions import FunctionDefinition, Parameter
from provisioning.engine.expressions.functions import find_function
from provisioning.engine.expressions.nodes import (
    Call,
    Comparison,
    Keyword,
    Node,
    Number,
    Omitted,
    Text,
    children,
)
from provisioning.engine.patterns import compile_pattern

_INTEGER: Final = re.compile(r"\s*(?:-?[0-9]{1,20}|&[Hh][0-9A-Fa-f]{1,16})\s*\Z")
_TOP_ONLY: Final = "SelectUniqueValue"
_WRAPPER: Final = "IgnoreFlowIfNullOrEmpty"


def check(node: Node) -> None:
    """Raise ExpressionSyntaxError for a tree that can not be compiled."""
    if isinstance(node, Comparison):
        raise ExpressionSyntaxError(node.position, "a comparison only as a condition of IIF, CBool or Not")
    _check_parts(node)


def _check_parts(node: Node) -> None:
    for part in children(node):
        if isinstance(part, Call) and part.name == _TOP_ONLY:
            raise ExpressionSyntaxError(part.position, f"{_TOP_ONLY} only as the outermost function")
    if isinstance(node, Call):
        _check_call(node)
    else:
        for part in children(node):
            _no_comparison(part)
    for part in children(node):
        _check_parts(part)


def _check_call(call: Call) -> None:
    definition = find_function(call.name)
    if definition is None:
        raise ExpressionSyntaxError(call.position, "the name of a function")
    _check_count(call, definition)
    for index, argument in enumerate(call.arguments):
        _check_argument(call, argument, definition.parameter(index))
    if call.name == "Switch":
        _check_switch(call)


def _check_count(call: Call, definition: FunctionDefinition) -> None:
    if len(call.arguments) < definition.minimum:
        expected = f"at least {definition.minimum} arguments of {definition.name}"
        raise ExpressionSyntaxError(call.position, expected)
    for index, parameter in enumerate(definition.parameters):
        given = index < len(call.arguments) and not isinstance(call.arguments[index], Omitted)
        if parameter.required and not given:
            expected = f"the argument {parameter.name} of {definition.name}"
            raise ExpressionSyntaxError(call.position, expected)


def _check_argument(call: Call, argument: Node, parameter: Parameter | None) -> None:
    if isinstance(argument, Omitted):
        return
    if parameter is None:
        raise ExpressionSyntaxError(argument.position, f"no further argument of {call.name}")
    if parameter.type == "Boolean":
        _check_condition(argument)
        return
    _no_comparison(argument)
    if parameter.type == "Integer":
        _check_integer(argument, parameter)
    if parameter.type == "Pattern" and isinstance(argument, Text):
        _check_pattern(argument)


def _check_condition(argument: Node) -> None:
    if isinstance(argument, Call) and argument.name == _WRAPPER:
        raise ExpressionSyntaxError(argument.position, f"a condition, which {_WRAPPER} is not")


def _no_comparison(argument: Node) -> None:
    if isinstance(argument, Comparison):
        raise ExpressionSyntaxError(
            argument.position, "a comparison only as a condition of IIF, CBool or Not"
        )


def _check_integer(argument: Node, parameter: Parameter) -> None:
    literal = {Text: "value", Number: "literal", Keyword: "name"}.get(type(argument))
    if literal is not None and not _INTEGER.match(getattr(argument, literal)):
        raise ExpressionSyntaxError(argument.position, f"a whole number for {parameter.name}")


def _check_pattern(argument: Text) -> None:
    try:
        compile_pattern(argument.value)
    except EvaluationError as error:
        expected = f"a regular expression ({error.message})"
        raise ExpressionSyntaxError(argument.position, expected, code=error.code) from error


def _check_switch(call: Call) -> None:
    if len(call.arguments) % 2:
        raise ExpressionSyntaxError(
            call.position, "source, default and then pairs of key and value in Switch"
        )

"""Trying an expression out, answered in the shape of Graph's parseExpression."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EngineError, EvaluationError, ExpressionSyntaxError
from provisioning.engine.expressions import compile_expression, parse
from provisioning.engine.expressions.nodes import Node, respelt
from provisioning.engine.schema.source_tree import to_graph
from provisioning.engine.values import Attributes, Value, many, narrow, text

Answer = dict[str, object]


def try_expression(expression: str, properties: Attributes, context: EvaluationContext) -> Answer:
    """Parse and evaluate; failures are part of the answer, never raised."""
    try:
        node = parse(expression)
    except ExpressionSyntaxError as error:
        return _answer(None, None, error)
    try:
        return _answer(node, _result(node, properties, context), None)
    except EvaluationError as error:
        return _answer(node, None, error)


def _result(node: Node, properties: Attributes, context: EvaluationContext) -> list[str]:
    node = respelt(node, {name.lower(): name for name in properties})
    value = compile_expression(node)(properties, context)
    return [shown(member) for member in many(value)]


def shown(value: Value) -> str:
    """A value as the text a person sees; complex values as JSON."""
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    return text(value) or ""


def _answer(node: Node | None, result: list[str] | None, error: EngineError | None) -> Answer:
    return {
        "parsingSucceeded": node is not None,
        "parsedExpression": None if node is None else to_graph(node),
        "evaluationSucceeded": result is not None,
        "evaluationResult": result or [],
        "error": None if error is None else _error(error),
    }


def _error(error: EngineError) -> Answer:
    position = error.position if isinstance(error, ExpressionSyntaxError) else None
    return {
        "code": error.code,
        "message": f"{error.message} {error.remedy}",
        "target": "expression" if position is None else f"expression[{position}]",
        "details": [],
    }


def read_properties(document: object) -> dict[str, Value]:
    """Test input from JSON: name to value, or Graph's list of {key, value}."""
    if document is None:
        return {}
    if isinstance(document, Mapping):
        return {str(name): _value(value) for name, value in document.items()}
    if isinstance(document, Sequence) and not isinstance(document, str):
        return dict(_pair(each) for each in document)
    raise ValueError("the properties are neither an object nor a list of key and value")


def _pair(each: object) -> tuple[str, Value]:
    if not isinstance(each, Mapping) or not isinstance(each.get("key"), str):
        raise ValueError("each property needs a key")
    return str(each["key"]), _value(each.get("value"))


def _value(value: object) -> Value:
    """Numbers with a fraction become text, as no attribute type holds them."""
    if isinstance(value, float):
        return str(value)
    if isinstance(value, list):
        return [_value(member) for member in value]
    return narrow(value)

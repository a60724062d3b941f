"""Graph's attributeMappingSource: an expression as a tree of {expression, name, type, parameters}."""

from __future__ import annotations

from provisioning.engine.errors import ExpressionSyntaxError, SchemaError
from provisioning.engine.expressions import parse, print_expression
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
from provisioning.engine.expressions.parser import MAX_DEPTH
from provisioning.engine.expressions.printer import quote
from provisioning.engine.schema.reader import Reader

_KEYS = ("expression", "name", "type", "parameters")


def to_graph(node: Node) -> dict[str, object]:
    """The tree Graph shows for an expression; numbers appear as quoted constants, as there."""
    match node:
        case Attribute(name):
            return _node("Attribute", name, print_expression(node), [])
        case Text(value) | Number(value):
            return _node("Constant", value, quote(value), [])
        case Keyword(name):
            return _node("Constant", name, name, [])
        case Call(name, arguments):
            return _node("Function", name, print_expression(node), _parameters(name, arguments))
        case Comparison(operator, left, right):
            return _node(
                "Function", operator, print_expression(node), [_pair("left", left), _pair("right", right)]
            )
        case Concatenation(parts):
            return _node("Function", "&", print_expression(node), [_pair("value", part) for part in parts])
        case Omitted():
            return _node("Constant", "", "", [])


def _node(kind: str, name: str, expression: str, parameters: list[dict[str, object]]) -> dict[str, object]:
    return {"expression": expression, "name": name, "type": kind, "parameters": parameters}


def _pair(key: str, node: Node) -> dict[str, object]:
    return {"key": key, "value": to_graph(node)}


def _parameters(name: str, arguments: tuple[Node, ...]) -> list[dict[str, object]]:
    definition = find_function(name)
    found: list[dict[str, object]] = []
    for index, argument in enumerate(arguments):
        parameter = definition.parameter(index) if definition else None
        if parameter is not None and not isinstance(argument, Omitted):
            found.append(_pair(parameter.name, argument))
    return found


def from_graph(source: Reader) -> Node:
    """The expression a tree stands for: its text where there is one, else put together from parts."""
    source.only(*_KEYS)
    expression = source.optional_text("expression")
    kind = source.optional_text("type") or ("Function" if expression else "Attribute")
    if kind not in {"Attribute", "Constant", "Function"}:
        raise SchemaError(source.at("type"), "one of Attribute, Constant, Function is needed here.")
    if kind == "Constant" and (value := source.optional_text("name")) is not None:
        return Text(value)
    return _parsed(expression or _written(source, kind, 0), source)


def _parsed(expression: str, source: Reader) -> Node:
    try:
        return parse(expression)
    except ExpressionSyntaxError as error:
        raise SchemaError(source.at("expression"), error.message, code=error.code) from error


def _written(source: Reader, kind: str, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise SchemaError(source.path, "the functions are nested too deeply.", code="ExpressionTooDeep")
    name = source.text("name")
    if kind == "Attribute":
        return f"[{name}]"
    if kind == "Constant":
        return quote(name)
    return f"{name}({','.join(_arguments(source, name, depth))})"


def _arguments(source: Reader, name: str, depth: int) -> list[str]:
    """The parameters in the order of the signature, with empty slots for those that are absent."""
    given = [
        (pair.text("key").lower(), _written_value(pair, depth + 1)) for pair in source.objects("parameters")
    ]
    definition = find_function(name)
    fixed = [each for each in definition.parameters if not each.repeated] if definition else []
    slots = [next((text for key, text in given if key == each.name.lower()), "") for each in fixed]
    rest = [text for key, text in given if key not in {each.name.lower() for each in fixed}]
    return [*slots, *rest]


def _written_value(pair: Reader, depth: int) -> str:
    value = pair.optional_object("value")
    if value is None:
        return ""
    expression = value.optional_text("expression")
    return expression or _written(value, value.text("type"), depth)

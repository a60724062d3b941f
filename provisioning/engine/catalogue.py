"""The language's functions and the scope operators, in the shapes of Graph's functions and filterOperators."""

from __future__ import annotations

from provisioning.engine.expressions.definitions import FunctionDefinition, Parameter
from provisioning.engine.expressions.functions import FUNCTIONS
from provisioning.engine.operators import OPERATORS


def function_signatures() -> list[dict[str, object]]:
    """Every function with its parameters, sorted by name."""
    return [_function(each) for each in sorted(FUNCTIONS.values(), key=lambda each: each.name.lower())]


def _function(definition: FunctionDefinition) -> dict[str, object]:
    return {"name": definition.name, "parameters": [_parameter(each) for each in definition.parameters]}


def _parameter(parameter: Parameter) -> dict[str, object]:
    return {
        "name": parameter.name,
        "required": parameter.required,
        "allowMultipleOccurrences": parameter.repeated,
        "type": "String" if parameter.type == "Pattern" else parameter.type,
    }


def filter_operators() -> list[dict[str, object]]:
    """Every operator a scope clause may use."""
    return [
        {
            "id": each.name.replace(" ", ""),
            "name": each.name,
            "arity": each.arity,
            "multivaluedComparisonType": "All" if each.name.startswith(("NOT ", "!")) else "Any",
            "supportedAttributeTypes": list(each.types),
        }
        for each in OPERATORS.values()
        if each.supported
    ]

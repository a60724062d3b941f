"""The mapping language: parse, print, compile."""

from __future__ import annotations

from provisioning.engine.errors import EvaluationError, ExpressionSyntaxError
from provisioning.engine.expressions.compiler import compile_expression
from provisioning.engine.expressions.nodes import Node, attribute_names, function_names
from provisioning.engine.expressions.parser import parse
from provisioning.engine.expressions.printer import print_expression

__all__ = [
    "EvaluationError",
    "ExpressionSyntaxError",
    "Node",
    "attribute_names",
    "compile_expression",
    "function_names",
    "parse",
    "print_expression",
]

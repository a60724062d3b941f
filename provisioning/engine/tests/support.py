"""What the tests of the language share: a fixed context and a one-line evaluation."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import ERRORS, EngineError
from provisioning.engine.expressions import compile_expression, parse
from provisioning.engine.values import IGNORED, Attributes, Value, many, text

NOW = datetime(2021, 7, 2, 15, 33, 38, tzinfo=UTC)


def context(**changes: object) -> EvaluationContext:
    settings: dict[str, object] = {"now": NOW, "random": Random(7), "default_domain": "contoso.com"} | changes
    return EvaluationContext(**settings)  # type: ignore[arg-type]  # a test names the fields it changes


def evaluate(expression: str, attributes: Attributes | None = None, **changes: object) -> Value:
    return compile_expression(parse(expression))(attributes or {}, context(**changes))


def shown(expression: str, attributes: Attributes | None = None) -> str | list[str] | None:
    """The result as text, a list as texts."""
    value = evaluate(expression, attributes)
    if value is IGNORED:
        return "(ignored)"
    if isinstance(value, list):
        return [text(member) or "" for member in many(value)]
    return text(value)


def outcome(expression: str, attributes: Attributes | None = None, **changes: object) -> str | None:
    """The code with which parsing or evaluation fails, None where it does not."""
    try:
        evaluate(expression, attributes, **changes)
    except EngineError as error:
        return error.code
    return None


def code_of(expression: str, attributes: Attributes | None = None, **changes: object) -> str:
    """The code with which parsing or evaluation fails, as it must."""
    code = outcome(expression, attributes, **changes)
    assert code is not None
    assert code in ERRORS, f"{expression} ended in {code}"
    return code

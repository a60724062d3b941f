"""Ordering of values for IIF conditions and scope clauses; null compares unequal to everything."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeAlias

from provisioning.engine.dates import parse_date
from provisioning.engine.values import Value, is_absent, single, text

Compare: TypeAlias = Callable[[Value, Value], bool]


def equal(left: Value, right: Value) -> bool:
    """Case-sensitive for text, by amount for numbers, by moment for dates; False with a null."""
    if type(left) is str and type(right) is str:
        return left == right
    if is_absent(left) or is_absent(right):
        return False
    left, right = single(left), single(right)
    if isinstance(left, datetime) or isinstance(right, datetime):
        return parse_date(left) == parse_date(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return str(text(left)).lower() == str(text(right)).lower()
    return (
        _equal_numbers(left, right) if isinstance(left, int) or isinstance(right, int) else _same(left, right)
    )


def _same(left: Value, right: Value) -> bool:
    return text(left) == text(right)


def _equal_numbers(left: Value, right: Value) -> bool:
    first, second = _number(left), _number(right)
    return first is not None and first == second


def unequal(left: Value, right: Value) -> bool:
    """The opposite of equal, so True with a null on either side."""
    return not equal(left, right)


def _number(value: Value) -> Decimal | None:
    written = text(value)
    if written is None or len(written) > 40:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _ordered(decide: Callable[[Any, Any], bool]) -> Compare:
    def compare(left: Value, right: Value) -> bool:
        left, right = single(left), single(right)
        if left is None or right is None:
            return False
        if isinstance(left, datetime) or isinstance(right, datetime):
            return decide(parse_date(left), parse_date(right))
        first, second = _number(left), _number(right)
        if first is not None and second is not None:
            return decide(first, second)
        return decide(text(left), text(right))

    return compare


greater: Final = _ordered(operator.gt)
greater_or_equal: Final = _ordered(operator.ge)
less: Final = _ordered(operator.lt)
less_or_equal: Final = _ordered(operator.le)

COMPARE: Final[Mapping[str, Compare]] = {
    "=": equal,
    "<>": unequal,
    ">": greater,
    ">=": greater_or_equal,
    "<": less,
    "<=": less_or_equal,
}


def truth_text(value: Value) -> str:
    """The value's text in lower case, "" where absent: how True and False are told apart."""
    if type(value) is bool:
        return "true" if value else "false"
    return (text(value) or "").strip().lower()

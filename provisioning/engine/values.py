"""The values expressions work on, and the few conversions all functions share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeGuard

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError

Value: TypeAlias = str | int | datetime | Mapping[str, object] | Sequence[object] | None
Attributes: TypeAlias = Mapping[str, Value]
Compiled: TypeAlias = Callable[[Attributes, EvaluationContext], Value]

MAX_TEXT: Final = 1_000_000
INT_MIN: Final = -(2**63)
INT_MAX: Final = 2**63 - 1
_TEXTS: Final = frozenset((str,))
_INTEGER: Final = re.compile(r"\s*([+-]?[0-9]{1,20})\s*\Z")
_HEX: Final = re.compile(r"\s*&[Hh]([0-9A-Fa-f]{1,16})\s*\Z")


class _Ignored(tuple[object, ...]):
    """The type of IGNORED; an empty sequence, so every function takes it for an absent value."""

    __slots__ = ()


IGNORED: Final = _Ignored()
"""What IgnoreFlowIfNullOrEmpty gives when there is nothing to flow: leave the attribute out."""


def single(value: Value) -> Value:
    """The value itself, the only member of a list, or None; a longer list is an error."""
    if value is None or isinstance(value, (str, int, datetime, Mapping)):
        return value
    if not isinstance(value, (list, tuple)):
        return narrow(value)
    if len(value) == 0:
        return None
    if len(value) == 1:
        return narrow(value[0])
    raise EvaluationError("SingleValueExpected", f"A single value is needed but there are {len(value)}.")


def narrow(member: object) -> Value:
    """A list's member as a value; anything the wire can not carry is an error."""
    if member is None or isinstance(member, (str, int, datetime, Mapping, list, tuple)):
        return member
    raise EvaluationError("TextExpected", f"A value of type {type(member).__name__} can not be mapped.")


def many(value: Value) -> list[Value]:
    """The members of a list, or the value alone, or nothing where it is absent."""
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [narrow(member) for member in value]
    return [narrow(value)]


def is_absent(value: Value) -> bool:
    """True for an absent attribute and for a list without members."""
    return value is None or (isinstance(value, (list, tuple)) and not value)


def is_empty(value: Value) -> bool:
    """True for an absent attribute and for empty text."""
    return not value if type(value) is str else is_absent(value)


def are_texts(members: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """True where each member is a text, as nearly all values of several are."""
    return _TEXTS.issuperset(map(type, members))


def text(value: Value) -> str | None:
    """The value as text (CStr), None where absent; references give their display name."""
    if isinstance(value, str):
        return value
    if value is None:
        return None
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return date_text(value)
    if isinstance(value, Mapping):
        return _reference_text(value)
    return text(single(value))


def _reference_text(reference: Mapping[str, object]) -> str:
    for key in ("display", "value"):
        part = reference.get(key)
        if isinstance(part, str):
            return part
    raise EvaluationError("TextExpected", "A complex value can not be used as text.")


def date_text(moment: datetime) -> str:
    """M/d/yyyy h:mm:ss tt, the form in which dates leave date functions (no zero padding)."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    day = f"{moment.month}/{moment.day}/{moment.year:04d}"
    return f"{day} {hour}:{moment.minute:02d}:{moment.second:02d} {half}"


def try_integer(value: Value) -> int | None:
    """A whole number given as such, as decimal text or as &H hex; None for anything else."""
    value = single(value)
    if isinstance(value, int):
        return int(value)
    if not isinstance(value, str):
        return None
    if match := _INTEGER.match(value):
        return int(match[1])
    if match := _HEX.match(value):
        return int(match[1], 16)
    return None


def integer(value: Value) -> int:
    """A 64-bit whole number; NumberExpected or NumberOutOfRange otherwise."""
    number = value if type(value) is int else try_integer(value)
    if number is None:
        raise EvaluationError("NumberExpected", "A whole number is needed.")
    if not INT_MIN <= number <= INT_MAX:
        raise EvaluationError("NumberOutOfRange", "The number does not fit into 64 bits.")
    return number


def truth(value: Value) -> bool:
    """CBool: non-zero numbers and "True" are true, everything else is false."""
    value = single(value)
    if isinstance(value, int):
        return value != 0
    if isinstance(value, str):
        if value.strip().lower() == "true":
            return True
        return (try_integer(value) or 0) != 0
    return False


def limited(result: str) -> str:
    """The text itself, or ValueTooLong where no directory would take it."""
    if len(result) > MAX_TEXT:
        raise EvaluationError("ValueTooLong", f"The text has more than {MAX_TEXT} characters.")
    return result

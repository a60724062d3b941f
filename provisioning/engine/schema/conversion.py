"""From a value of the language to the JSON value a target attribute of some type takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from provisioning.engine.dates import parse_date
from provisioning.engine.errors import EvaluationError
from provisioning.engine.schema.model import AttributeDefinition, AttributeType
from provisioning.engine.values import Value, are_texts, integer, many, narrow, text

Json: TypeAlias = str | int | bool | Mapping[str, object] | list[object] | None
Convert: TypeAlias = Callable[[Value], Json]


def converter(definition: AttributeDefinition | None) -> Convert:
    """The conversion for an attribute; without a definition values keep the type they have."""
    if definition is None:
        return _as_it_is
    convert = _SINGLE[definition.type]
    if not definition.multivalued:
        return convert
    return _strings if convert is _string else _each(convert)


def takes_text_as_it_is(definition: AttributeDefinition | None) -> bool:
    """True where a text needs no conversion except that "" becomes None."""
    return definition is None or (not definition.multivalued and _SINGLE[definition.type] is _string)


def one(value: Value) -> Value:
    """The value, or of several the least as text: AD keeps no order, so the first would flicker."""
    if not isinstance(value, (list, tuple)):
        return value
    members = [member for member in many(value) if member not in (None, "")]
    return min(members, key=lambda member: text(member) or "", default=None)


def _string(value: Value) -> Json:
    if type(value) is list and len(value) == 1:
        value = narrow(value[0])
    if type(value) is str:
        return value or None
    return text(one(value)) or None


def _integer(value: Value) -> Json:
    if type(value) is not int:
        value = one(value)
    return None if value in (None, "") else integer(value)


def _boolean(value: Value) -> Json:
    if isinstance(value, bool):
        return value
    written = (text(one(value)) or "").strip().lower()
    if not written:
        return None
    if written not in _TRUTH:
        raise EvaluationError("BooleanExpected", "True or False is needed.")
    return _TRUTH[written]


_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False}


def _date(value: Value) -> Json:
    moment = parse_date(one(value))
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _reference(value: Value) -> Json:
    if type(value) is not dict:
        value = one(value)
    if value is None or value == "":
        return None
    if isinstance(value, Mapping) and isinstance(value.get("value"), str):
        return value
    raise EvaluationError("ReferenceExpected", "A reference to another object is needed.")


def _each(convert: Convert) -> Convert:
    def run(value: Value) -> Json:
        if isinstance(value, str):
            single = convert(value)
            return None if single is None else [single]
        found = [converted for member in many(value) if (converted := convert(member)) is not None]
        return _ordered(found) or None

    return run


_each_string: Final = _each(_string)


def _strings(value: Value) -> Json:
    if type(value) is list and are_texts(value):
        return [*sorted(filter(None, value))] or None
    return _each_string(value)


def _ordered(found: Sequence[object]) -> list[object]:
    """Texts sorted, since a directory keeps no order of values; anything else as it comes."""
    return [*sorted(found)] if are_texts(found) else [*found]


def _as_it_is(value: Value) -> Json:
    if isinstance(value, datetime):
        return text(value)
    if isinstance(value, (list, tuple)):
        return _ordered([_as_it_is(member) for member in many(value)]) or None
    if value is None or isinstance(value, (int, Mapping)):
        return value
    return text(value) or None


_SINGLE: Final[Mapping[AttributeType, Convert]] = {
    AttributeType.STRING: _string,
    AttributeType.INTEGER: _integer,
    AttributeType.REFERENCE: _reference,
    AttributeType.BINARY: _string,
    AttributeType.BOOLEAN: _boolean,
    AttributeType.DATE_TIME: _date,
}

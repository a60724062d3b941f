"""Replace and its five forms, told apart by which parameters are filled."""

from __future__ import annotations

from typing import Final

from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import Parameter, Registry, optional
from provisioning.engine.patterns import compile_pattern
from provisioning.engine.values import MAX_TEXT, Value, is_empty, text

registry: Final = Registry()


@registry.plain(
    "Replace",
    Parameter("source"),
    optional("Find"),
    optional("RegularExpression", "Pattern"),
    optional("RegularExpressionGroupName"),
    optional("Replacement"),
    optional("ReplacementPropertyName"),
    optional("Template"),
)
def replace(
    source: Value,
    find: Value = None,
    pattern: Value = None,
    group: Value = None,
    replacement: Value = None,
    other: Value = None,
    template: Value = None,
) -> Value:
    """One of: literal text, template, pattern, group of a pattern, group of another attribute."""
    wanted, regular, name = text(find), text(pattern), text(group)
    put, frame = text(replacement), text(template)
    if regular is not None and wanted is None and frame is None:
        return _by_pattern(source, regular, name, put, other)
    if wanted and regular is None and name is None:
        return _literally(source, wanted, put, frame)
    raise _wrong_form()


def _wrong_form() -> EvaluationError:
    return EvaluationError("ReplaceParameters", "The parameters of Replace fit none of its forms.")


def _literally(source: Value, wanted: str, put: str | None, frame: str | None) -> Value:
    subject = text(source)
    if put is not None and frame is None:
        return None if subject is None else replaced(subject, wanted, put)
    if frame is not None and put is None:
        return None if subject is None else replaced(frame, wanted, subject)
    raise _wrong_form()


def replaced(subject: str, wanted: str, put: str) -> str:
    """All occurrences replaced; refused before it happens where the result would be too long."""
    growth = len(put) - len(wanted)
    if len(subject) + max(growth, 0) * subject.count(wanted) > MAX_TEXT:
        raise EvaluationError("ValueTooLong", "The text would become too long.")
    return subject.replace(wanted, put)


def _by_pattern(source: Value, regular: str, name: str | None, put: str | None, other: Value) -> Value:
    if put is not None:
        subject = text(source)
        if subject is None:
            return None
        compiled = compile_pattern(regular)
        if name:
            return compiled.substitute_group(subject, name, put)
        return compiled.substitute(subject, put)
    if not name:
        raise _wrong_form()
    return source if not is_empty(source) else _from_other(regular, name, text(other))


def _from_other(regular: str, name: str, other: str | None) -> Value:
    compiled = compile_pattern(regular)
    number = compiled.group(name)
    match = compiled.search(other) if other is not None else None
    return None if match is None else match[number]

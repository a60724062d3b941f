"""Conditions, choices and the functions that decide whether a value flows at all."""

from __future__ import annotations

from typing import Final

from provisioning.engine.comparison import truth_text
from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions.definitions import CallSite, Parameter, Registry, optional
from provisioning.engine.expressions.nodes import Call, Comparison, Node
from provisioning.engine.values import (
    IGNORED,
    Attributes,
    Compiled,
    Value,
    is_absent,
    is_empty,
    text,
    truth,
)

registry: Final = Registry()

_BOOLEAN_FUNCTIONS: Final = frozenset(
    {"IsPresent", "IsNull", "IsNullOrEmpty", "IsNothing", "IsString", "Not", "CBool"}
)


@registry.lazy("IIF", Parameter("condition", "Boolean"), Parameter("valueIfTrue"), Parameter("valueIfFalse"))
def build_iif(site: CallSite) -> Compiled:
    """The branch not taken is not evaluated."""
    condition, when_true, when_false = (site.required(index) for index in range(3))

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        decided = condition(attributes, context)
        if decided is True or (decided is not False and truth(decided)):
            return when_true(attributes, context)
        return when_false(attributes, context)

    return run


@registry.lazy(
    "Switch",
    Parameter("source"),
    optional("defaultValue"),
    Parameter("key", required=False, repeated=True),
    Parameter("value", required=False, repeated=True),
)
def build_switch(site: CallSite) -> Compiled:
    """Case-sensitive equality, first match wins; a null source matches the key ""."""
    if len(site.nodes) > 2 and all(_is_condition(node) for node in site.nodes[0::2]):
        return _conditions_switch(site)
    source, default = site.required(0), site.required(1)
    pairs = [(site.required(at), site.required(at + 1)) for at in range(2, len(site.nodes) - 1, 2)]

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        wanted = text(source(attributes, context)) or ""
        for key, value in pairs:
            if (text(key(attributes, context)) or "") == wanted:
                return value(attributes, context)
        return default(attributes, context)

    return run


def _is_condition(node: Node) -> bool:
    return isinstance(node, Comparison) or (isinstance(node, Call) and node.name in _BOOLEAN_FUNCTIONS)


def _conditions_switch(site: CallSite) -> Compiled:
    """The form that pairs conditions with values: the first condition that holds wins."""
    pairs = [(site.required(at), site.required(at + 1)) for at in range(0, len(site.nodes) - 1, 2)]

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        for condition, value in pairs:
            if truth(condition(attributes, context)):
                return value(attributes, context)
        return None

    return run


@registry.lazy("Coalesce", Parameter("source", repeated=True))
def build_coalesce(site: CallSite) -> Compiled:
    """The first value that is not null; the last one is the default and may be null."""
    sources = [argument for argument in site.arguments if argument is not None]

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        for source in sources:
            value = source(attributes, context)
            if not is_absent(value):
                return value
        return None

    return run


@registry.plain("Not", Parameter("source", "Boolean"), result="Boolean")
def negation(source: Value) -> Value:
    """False for True, True for anything else."""
    return truth_text(source) != "true"


@registry.plain("CBool", Parameter("expression", "Boolean"), result="Boolean")
def to_boolean(value: Value) -> Value:
    """True for True and non-zero numbers."""
    return truth(value)


@registry.plain("IsPresent", Parameter("expression"), result="Boolean")
def is_present(value: Value) -> Value:
    """True where the value is neither absent nor empty."""
    return not is_empty(value)


@registry.plain("IsNull", Parameter("expression"), result="Boolean")
def is_null(value: Value) -> Value:
    """True where the value is absent; empty text is not."""
    return is_absent(value)


@registry.plain("IsNothing", Parameter("source"), result="Boolean")
def is_nothing(value: Value) -> Value:
    """The same as IsNull."""
    return is_absent(value)


@registry.plain("IsNullOrEmpty", Parameter("expression"), result="Boolean")
def is_null_or_empty(value: Value) -> Value:
    """True where the value is absent or empty text."""
    return is_empty(value)


@registry.plain("IsString", Parameter("expression"), result="Boolean")
def is_string(value: Value) -> Value:
    """True where CStr gives a text."""
    try:
        return text(value) is not None
    except EvaluationError:
        return False


@registry.plain("IgnoreFlowIfNullOrEmpty", Parameter("expression"))
def ignore_flow(value: Value) -> Value:
    """The value, or the mark that leaves the attribute out of the export."""
    return IGNORED if is_empty(value) else value


@registry.plain("Redact", Parameter("value"), strict=True)
def redact(value: Value) -> Value:
    """The value itself; that it must not be shown is read off the expression."""
    return value


@registry.plain("Error", Parameter("message"))
def error(message: Value) -> Value:
    """Fail the object with the given text."""
    raise EvaluationError("ExpressionError", text(message) or "The mapping reports an error.")


@registry.contextual("DefaultDomain")
def default_domain(context: EvaluationContext) -> Value:
    """The target's default verified domain."""
    if not context.default_domain:
        raise EvaluationError("DefaultDomainMissing", "The target has no default domain.")
    return context.default_domain


@registry.lazy(
    "SelectUniqueValue",
    Parameter("rule"),
    Parameter("rule2"),
    Parameter("furtherRule", repeated=True, required=False),
)
def build_select_unique(site: CallSite) -> Compiled:
    """The first rule whose value is free in the target; where nobody can be asked, the first."""
    rules = [argument for argument in site.arguments if argument is not None]
    target = site.target

    def run(attributes: Attributes, context: EvaluationContext) -> Value:
        for rule in rules:
            value = text(rule(attributes, context))
            if value and (context.is_unique is None or context.is_unique(target, value)):
                return value
        raise EvaluationError("NoUniqueValue", "Every value SelectUniqueValue proposed is taken.")

    return run

"""Reading the scope filter of an object mapping."""

from __future__ import annotations

from provisioning.engine.errors import EvaluationError, SchemaError
from provisioning.engine.operators import find_operator
from provisioning.engine.patterns import compile_pattern
from provisioning.engine.schema.model import Clause, Filter, FilterGroup
from provisioning.engine.schema.reader import Reader


def read_filter(source: Reader | None) -> Filter:
    """The filter, one that lets everything pass where there is none."""
    if source is None:
        return Filter()
    source.only("groups", "inputFilterGroups", "categoryFilterGroups")
    return Filter(
        groups=_groups(source, "groups"),
        input_groups=_groups(source, "inputFilterGroups"),
        category_groups=_groups(source, "categoryFilterGroups"),
    )


def _groups(source: Reader, name: str) -> tuple[FilterGroup, ...]:
    return tuple(_group(each) for each in source.objects(name))


def _group(source: Reader) -> FilterGroup:
    source.only("name", "clauses")
    clauses = tuple(_clause(each) for each in source.objects("clauses"))
    if not clauses:
        raise SchemaError(source.at("clauses"), "at least one clause is needed.")
    return FilterGroup(source.optional_text("name"), clauses)


def _clause(source: Reader) -> Clause:
    source.only("sourceOperandName", "operatorName", "targetOperand")
    name = source.text("operatorName")
    operator = find_operator(name)
    if operator is None:
        raise SchemaError(
            source.at("operatorName"), f"no operator {name} is known.", code="ScopeOperatorUnknown"
        )
    if not operator.supported:
        problem = f"the operator {name} is not supported."
        raise SchemaError(source.at("operatorName"), problem, code="ScopeOperatorUnsupported")
    clause = Clause(source.text("sourceOperandName"), operator.name, _values(source))
    if operator.arity == "Binary" and not clause.values:
        raise SchemaError(source.at("targetOperand"), f"{name} needs at least one value.")
    _check_patterns(clause, source)
    return clause


def _values(source: Reader) -> tuple[str, ...]:
    operand = source.optional_object("targetOperand")
    if operand is None:
        return ()
    operand.only("values")
    return operand.texts("values")


def _check_patterns(clause: Clause, source: Reader) -> None:
    if "REGEX" not in clause.operator:
        return
    for index, pattern in enumerate(clause.values):
        try:
            compile_pattern(pattern)
        except EvaluationError as error:
            raise SchemaError(
                source.at(f"targetOperand.values[{index}]"), error.message, code=error.code
            ) from error

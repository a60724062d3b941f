"""Scope filters: all clauses of a group must hold, one group of a filter is enough.

A comparison with an absent attribute is false whatever the operator, negated ones included.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from provisioning.engine.certificates import subject_names
from provisioning.engine.comparison import equal, greater, greater_or_equal
from provisioning.engine.errors import EvaluationError, SchemaError
from provisioning.engine.operators import find_operator
from provisioning.engine.patterns import compile_pattern
from provisioning.engine.schema.model import Clause, Filter, FilterGroup
from provisioning.engine.values import Attributes, Value, is_absent, many, text, truth, try_integer

Test: TypeAlias = Callable[[Value], bool]
InScope: TypeAlias = Callable[[Attributes], bool]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """One clause and how it came out; actual is "[Redact]" where the value must not be shown."""

    group: str
    attribute: str
    operator: str
    values: tuple[str, ...]
    actual: Value
    passed: bool


@dataclass(frozen=True, slots=True)
class ScopeDecision:
    """Whether an object is in scope, and every clause that was looked at."""

    passed: bool
    clauses: list[ClauseResult]


def compile_scope(scope: Filter) -> InScope:
    """A function of an object's attributes; no groups at all let everything pass."""
    return _compile_groups((*scope.groups,), (*scope.category_groups,))


def compile_input_filter(scope: Filter) -> InScope:
    """The same for inputFilterGroups: what they keep out is not processed, and not deprovisioned."""
    return _compile_groups((*scope.input_groups,))


def _compile_groups(*all_of: tuple[FilterGroup, ...]) -> InScope:
    layers = [[_compile_group(group) for group in groups] for groups in all_of if groups]
    if not layers:
        return lambda _attributes: True
    if len(layers) == 1 and len(layers[0]) == 1:
        return layers[0][0]
    return lambda attributes: all(any(group(attributes) for group in groups) for groups in layers)


def _compile_group(group: FilterGroup) -> InScope:
    tests = [(clause.attribute, compile_clause(clause)) for clause in group.clauses]

    def passes(attributes: Attributes) -> bool:
        return all(test(attributes.get(name)) for name, test in tests)

    return passes


def explain_scope(
    scope: Filter, attributes: Attributes, *, redacted: frozenset[str] = frozenset()
) -> ScopeDecision:
    """The decision clause by clause; values of the redacted source attributes are not shown."""
    results: list[ClauseResult] = []
    passed = True
    for groups in (scope.groups, scope.category_groups):
        outcomes = [
            _explain_group(group, index, attributes, redacted) for index, group in enumerate(groups, 1)
        ]
        results.extend(result for outcome in outcomes for result in outcome)
        if outcomes:
            passed = passed and any(all(result.passed for result in outcome) for outcome in outcomes)
    return ScopeDecision(passed, results)


def _explain_group(
    group: FilterGroup, index: int, attributes: Attributes, redacted: frozenset[str]
) -> list[ClauseResult]:
    return [
        ClauseResult(
            group=group.name or f"Group {index}",
            attribute=clause.attribute,
            operator=clause.operator,
            values=clause.values,
            actual="[Redact]" if clause.attribute in redacted else attributes.get(clause.attribute),
            passed=compile_clause(clause)(attributes.get(clause.attribute)),
        )
        for clause in group.clauses
    ]


def scope_attributes(scope: Filter) -> frozenset[str]:
    """The source attributes a filter looks at."""
    groups = (*scope.groups, *scope.input_groups, *scope.category_groups)
    return frozenset(clause.attribute for group in groups for clause in group.clauses)


def compile_clause(clause: Clause) -> Test:
    """The test of one clause on its attribute's value."""
    operator = find_operator(clause.operator)
    make = _TESTS.get(operator.name) if operator else None
    if make is None:
        problem = f"the operator {clause.operator} is not supported."
        raise SchemaError(clause.attribute, problem, code="ScopeOperatorUnsupported")
    test = make(clause.values)
    if operator is not None and operator.name == "IS NULL":
        return test
    return lambda value: not is_absent(value) and test(value)


def _some(decide: Callable[[Value, str], bool], values: Iterable[str]) -> Test:
    """True where any value of the attribute and any value of the clause fit."""
    wanted = tuple(values)
    if len(wanted) == 1:
        (only,) = wanted
        return lambda value: any(decide(member, only) for member in many(value))
    return lambda value: any(decide(member, each) for member in many(value) for each in wanted)


def _none(decide: Callable[[Value, str], bool], values: Iterable[str]) -> Test:
    some = _some(decide, values)
    return lambda value: not some(value)


def _matches(value: Value, pattern: str) -> bool:
    return compile_pattern(pattern).search(text(value) or "") is not None


def _includes(value: Value, part: str) -> bool:
    return part in (text(value) or "")


def _ends(value: Value, end: str) -> bool:
    return (text(value) or "").endswith(end)


def _shares(value: Value, other: str) -> bool:
    """Numbers: a bit in common. Texts: the attribute's value stands in the clause's text."""
    left, right = try_integer(value), try_integer(other)
    if left is not None and right is not None:
        return left & right != 0
    return (text(value) or "") in other


def _certifies(value: Value, name: str) -> bool:
    """The attribute holds a readable X.509 certificate whose subject has this common name."""
    try:
        return name.lower() in {each.lower() for each in subject_names(text(value) or "")}
    except EvaluationError:
        return False


_TESTS: Final[Mapping[str, Callable[[tuple[str, ...]], Test]]] = {
    "EQUALS": lambda values: _some(equal, values),
    "NOT EQUALS": lambda values: _none(equal, values),
    "REGEX MATCH": lambda values: _some(_matches, values),
    "NOT REGEX MATCH": lambda values: _none(_matches, values),
    "IS NULL": lambda _values: is_absent,
    "IS NOT NULL": lambda _values: _always,
    "PRESENT": lambda _values: _always,
    "IS TRUE": lambda _values: truth,
    "IS FALSE": lambda _values: lambda value: not truth(value),
    "INCLUDES": lambda values: _some(_includes, values),
    "ENDS_WITH": lambda values: _some(_ends, values),
    "GREATER_THAN": lambda values: _some(greater, values),
    "GREATER_THAN_OR_EQUALS": lambda values: _some(greater_or_equal, values),
    "&": lambda values: _some(_shares, values),
    "!&": lambda values: _none(_shares, values),
    "!&L": lambda values: _none(_shares, values),
    "VALID CERT MATCH": lambda values: _some(_certifies, values),
}


def _always(_value: Value) -> bool:
    return True

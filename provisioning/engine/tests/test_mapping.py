"""Mapping an object: flows, null and empty, defaults, creation, redaction, types."""

from __future__ import annotations

import pytest

from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions import parse
from provisioning.engine.mapping import CompiledMapping, compile_mapping
from provisioning.engine.schema.model import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Clause,
    Filter,
    FilterGroup,
    FlowBehavior,
    FlowType,
    ObjectDefinition,
    ObjectMapping,
)
from provisioning.engine.tests.support import context
from provisioning.engine.values import Attributes


def row(
    expression: str | None,
    *,
    default: str | None = None,
    flow: FlowType = FlowType.ALWAYS,
    kind: AttributeType = AttributeType.STRING,
    many: bool = False,
    flows_null: bool = False,
    target: str = "T",
) -> AttributeMapping:
    definition = AttributeDefinition(name=target, type=kind, multivalued=many, flow_null_values=flows_null)
    source = None if expression is None else parse(expression)
    return AttributeMapping(target, source, default, flow, definition=definition)


def compiled(*rows: AttributeMapping, explicit_nulls: bool = True) -> CompiledMapping:
    mapping = ObjectMapping("users", "user", "User", attribute_mappings=rows)
    return compile_mapping(mapping, explicit_nulls=explicit_nulls)


def mapped(mapping: AttributeMapping, attributes: Attributes, *, creating: bool = False) -> dict[str, object]:
    result = compiled(mapping).apply(attributes, context(), creating=creating)
    return {**result.attributes, **{f"create:{name}": value for name, value in result.create_only.items()}}


def test_a_direct_value_flows_and_an_absent_one_is_left_alone() -> None:
    assert mapped(row("[a]"), {"a": "x"}) == {"T": "x"}
    assert mapped(row("[a]"), {}) == {}
    assert mapped(row("[a]"), {"a": None}) == {}


def test_one_attribute_flows_to_several_targets() -> None:
    rows = row("[a]"), row("Trim([a])", target="U"), row("[a]", target="N", kind=AttributeType.INTEGER)
    assert compiled(*rows).apply({"a": " 7 "}, context()).attributes == {"T": " 7 ", "U": "7", "N": 7}


def test_empty_text_clears() -> None:
    assert mapped(row('""'), {}) == {"T": None}
    assert mapped(row("Trim([a])"), {"a": "  "}) == {"T": None}


def test_null_clears_where_the_target_attribute_lets_null_flow() -> None:
    assert mapped(row("[a]", flows_null=True), {}) == {"T": None}
    assert mapped(row('IIF([a]="x","y",[b])', flows_null=True), {}) == {"T": None}


def test_without_explicit_nulls_a_missing_key_tells_the_same() -> None:
    mapping = compiled(row("[a]", flows_null=True), explicit_nulls=False)
    assert mapping.apply({}, context(), creating=False).attributes == {}
    assert mapping.clears_when_absent == {"T"}


def test_ignore_flow_drops_even_where_null_would_flow() -> None:
    assert mapped(row("IgnoreFlowIfNullOrEmpty([a])", flows_null=True), {}) == {}
    nested = row('IIF([b]="x",IgnoreFlowIfNullOrEmpty([a]),"y")', flows_null=True)
    assert mapped(nested, {"b": "x"}) == {}
    assert mapped(nested, {}) == {"T": "y"}


def test_a_default_flows_at_creation_only() -> None:
    mapping = row("[a]", default="d", flows_null=True)
    assert mapped(mapping, {}, creating=True) == {"create:T": "d"}
    assert mapped(mapping, {"a": ""}, creating=True) == {"create:T": "d"}
    assert mapped(mapping, {"a": "x"}, creating=True) == {"T": "x"}
    assert mapped(mapping, {}) == {}


def test_a_constant_flows_always_and_where_asked_only_at_creation() -> None:
    assert mapped(row(None, default="c"), {}) == {"T": "c"}
    assert mapped(row('"c"'), {}) == {"T": "c"}
    once = row(None, default="c", flow=FlowType.OBJECT_ADD_ONLY)
    assert mapped(once, {}) == {}
    assert mapped(once, {}, creating=True) == {"create:T": "c"}
    assert mapped(row(None), {}, creating=True) == {}


def test_what_is_added_once_is_not_even_evaluated_later() -> None:
    once = row('Error("no")', flow=FlowType.OBJECT_ADD_ONLY)
    assert mapped(once, {}) == {}
    with pytest.raises(EvaluationError):
        mapped(once, {}, creating=True)


def test_select_unique_value_flows_at_creation_only_and_asks_for_its_target() -> None:
    asked: list[tuple[str, str]] = []

    def is_unique(target: str, value: str) -> bool:
        asked.append((target, value))
        return value == "b"

    mapping = compiled(row('SelectUniqueValue("a","b")'))
    assert mapping.apply({}, context(is_unique=is_unique), creating=False).create_only == {}
    assert mapping.apply({}, context(is_unique=is_unique), creating=True).create_only == {"T": "b"}
    assert asked == [("T", "a"), ("T", "b")]


def test_an_error_names_the_target_attribute() -> None:
    with pytest.raises(EvaluationError) as caught:
        mapped(row("CDate([a])"), {"a": "never"})
    assert (caught.value.code, caught.value.target) == ("DateExpected", "T")
    assert "T:" in caught.value.message


def test_an_error_inside_a_redacted_mapping_does_not_show_its_text() -> None:
    mapping = row('Redact(Error(Join(" ","bad",[a])))')
    with pytest.raises(EvaluationError) as caught:
        mapped(mapping, {"a": "secret"})
    assert "secret" not in str(caught.value)


def test_redaction_is_known_whatever_the_branch() -> None:
    mapping = compiled(
        row('IIF([a]="x",Redact([b]),[c])', target="R"),
        row("[PasswordHash]", target="H"),
        row("[a]", target="A"),
    )
    assert mapping.redacted == {"R", "H"}
    assert mapping.redacted_sources == {"b", "PasswordHash"}
    assert mapping.apply({"a": "y"}, context()).redacted == {"R", "H"}


@pytest.mark.parametrize(
    ("kind", "many", "value", "result"),
    [
        (AttributeType.BOOLEAN, False, "True", True),
        (AttributeType.BOOLEAN, False, "false", False),
        (AttributeType.BOOLEAN, False, 1, True),
        (AttributeType.BOOLEAN, False, False, False),
        (AttributeType.BOOLEAN, False, "", None),
        (AttributeType.INTEGER, False, "42", 42),
        (AttributeType.INTEGER, False, 42, 42),
        (AttributeType.INTEGER, False, "", None),
        (AttributeType.STRING, False, 42, "42"),
        (AttributeType.STRING, False, True, "True"),
        (AttributeType.STRING, False, ["x"], "x"),
        (AttributeType.STRING, False, ["b", "a"], "a"),
        (AttributeType.STRING, False, [], None),
        (AttributeType.STRING, True, "x", ["x"]),
        (AttributeType.STRING, True, ["b", "", "a"], ["a", "b"]),
        (AttributeType.STRING, True, [], None),
        (AttributeType.STRING, True, "", None),
        (AttributeType.DATE_TIME, False, "2021-03-04T17:00:00+01:00", "2021-03-04T16:00:00Z"),
        (AttributeType.REFERENCE, False, {"value": "g", "display": "dn"}, {"value": "g", "display": "dn"}),
        (AttributeType.REFERENCE, True, [{"value": "g"}, {"value": "a"}], [{"value": "g"}, {"value": "a"}]),
        (
            AttributeType.STRING,
            True,
            [{"value": "g", "display": "CN=b"}, {"value": "h", "display": "CN=a"}],
            ["CN=a", "CN=b"],
        ),
    ],
)
def test_a_value_takes_the_type_of_its_target(
    kind: AttributeType, many: bool, value: object, result: object
) -> None:
    assert mapped(row("[a]", kind=kind, many=many), {"a": value}) == {"T": result}  # type: ignore[dict-item]  # any JSON


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(EvaluationError) as caught:
        mapped(row("[a]", kind=AttributeType.BOOLEAN), {"a": "perhaps"})
    assert caught.value.code == "BooleanExpected"


@pytest.mark.parametrize("value", ["CN=Boss", 5, {"display": "CN=Boss"}])
def test_what_is_no_reference_is_refused(value: object) -> None:
    with pytest.raises(EvaluationError) as caught:
        mapped(row("[a]", kind=AttributeType.REFERENCE), {"a": value})  # type: ignore[dict-item]  # any JSON
    assert caught.value.code == "ReferenceExpected"


def test_without_a_definition_a_value_keeps_its_type() -> None:
    mapping = AttributeMapping("T", parse("[a]"))
    assert mapped(mapping, {"a": 5}) == {"T": 5}
    assert mapped(mapping, {"a": ["b", "a"]}) == {"T": ["a", "b"]}


def test_source_attributes_are_spelt_as_the_directory_spells_them_and_include_the_scope() -> None:
    source = ObjectDefinition("user", (AttributeDefinition("givenName"),))
    scope = Filter((FilterGroup(None, (Clause("department", "EQUALS", ("HR",)),)),))
    mapping = ObjectMapping(
        "users",
        "user",
        "User",
        attribute_mappings=(row("Trim([GIVENNAME])"),),
        source_definition=source,
        scope=scope,
    )
    found = compile_mapping(mapping)
    assert found.source_attributes == {"givenName", "department"}
    assert found.apply({"givenName": " x"}, context()).attributes == {"T": "x"}


def test_others_learn_what_they_need_of_the_mapping() -> None:
    mapping = compiled(
        row("[manager]", kind=AttributeType.REFERENCE, target="Manager"),
        row('"x"', flow=FlowType.ATTRIBUTE_ADD_ONLY, target="F"),
        row("[m]", flow=FlowType.MULTI_VALUE_ADD_ONLY, many=True, target="M"),
        AttributeMapping("Second", parse("[b]"), matching_priority=2),
        AttributeMapping("First", parse("[a]"), matching_priority=1, flow_behavior=FlowBehavior.ALWAYS),
    )
    assert mapping.reference_targets == {"Manager"}
    assert mapping.fill_only == {"F"}
    assert mapping.merge_only == {"M"}
    assert mapping.flow_always == {"First"}
    assert mapping.matching == ("First", "Second")


def test_mapping_does_not_change_its_input_nor_share_state() -> None:
    mapping = compiled(row("[m]", many=True), row('"c"', target="C"))
    attributes: Attributes = {"m": ["b", "a"]}
    first = mapping.apply(attributes, context())
    first.attributes.clear()
    assert attributes == {"m": ["b", "a"]}
    assert mapping.apply(attributes, context()).attributes == {"T": ["a", "b"], "C": "c"}

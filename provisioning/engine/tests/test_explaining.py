"""Explanations of mappings, and the catalogue of functions and operators."""

from __future__ import annotations

from provisioning.engine.catalogue import filter_operators, function_signatures
from provisioning.engine.explaining import AttributeExplanation, explain_mapping
from provisioning.engine.expressions import parse
from provisioning.engine.schema.model import AttributeMapping, ObjectMapping
from provisioning.engine.tests.support import context

MAPPING = ObjectMapping(
    "users",
    "user",
    "User",
    attribute_mappings=(
        AttributeMapping("Plain", parse("Trim([a])")),
        AttributeMapping("Secret", parse("Redact([b])")),
        AttributeMapping("Broken", parse("CDate([a])")),
        AttributeMapping("Absent", parse("[c]"), default_value="d"),
        AttributeMapping("Cleared", parse('""')),
        AttributeMapping("Constant", None, default_value="k"),
    ),
)


def explained(*, creating: bool) -> dict[str, AttributeExplanation]:
    found = explain_mapping(MAPPING, {"a": " x ", "b": "hidden"}, context(), creating=creating)
    return {each.target: each for each in found}


def test_every_attribute_is_explained_though_one_fails() -> None:
    found = explained(creating=False)
    assert (found["Plain"].expression, found["Plain"].value) == ("Trim([a])", "x")
    assert (found["Broken"].error_code, found["Broken"].flows) == ("DateExpected", False)
    assert (found["Absent"].flows, found["Absent"].value) == (False, None)
    assert (found["Cleared"].flows, found["Cleared"].value) == (True, None)
    assert (found["Constant"].expression, found["Constant"].value) == (None, "k")


def test_a_default_shows_at_creation() -> None:
    assert explained(creating=True)["Absent"].value == "d"


def test_a_redacted_value_is_not_shown() -> None:
    found = explained(creating=False)
    assert found["Secret"].value == "[Redact]"
    assert "hidden" not in repr(found)


def test_functions_are_listed_as_graph_lists_them() -> None:
    listed = {each["name"]: each["parameters"] for each in function_signatures()}
    assert listed["Replace"] == [
        {"name": name, "required": name == "source", "allowMultipleOccurrences": False, "type": "String"}
        for name in (
            "source",
            "Find",
            "RegularExpression",
            "RegularExpressionGroupName",
            "Replacement",
            "ReplacementPropertyName",
            "Template",
        )
    ]
    assert {"IsNothing", "Prepend", "DNComponent", "SelectUniqueValue"} <= set(listed)


def test_operators_that_can_not_be_used_are_not_listed() -> None:
    names = {str(each["name"]) for each in filter_operators()}
    assert {"EQUALS", "NOT REGEX MATCH", "!&L", "VALID CERT MATCH"} <= names
    assert "IS_MEMBER_OF" not in names

"""Reading, checking and writing schema documents."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from provisioning.engine.errors import SchemaError
from provisioning.engine.expressions import parse, print_expression
from provisioning.engine.schema import default_schema, dump, load
from provisioning.engine.schema.reader import Reader
from provisioning.engine.schema.source_tree import from_graph, to_graph

C1 = "5f0c2a52-7f2b-4b2e-9d5d-0a3c1c8f6b11"
G1 = "0c7ee0b9-3d8a-4f0e-9d53-6f1f0c8f7f10"
SMALL: dict[str, Any] = {
    "id": "x",
    "version": "1",
    "directories": [
        {
            "name": "Active Directory",
            "objects": [{"name": "user", "attributes": [{"name": "mail"}, {"name": "company"}]}],
        },
        {
            "name": "Target",
            "objects": [
                {
                    "name": "User",
                    "attributes": [
                        {"name": "Mail"},
                        {"name": "Enabled", "type": "Boolean"},
                        {"name": "Id", "mutability": "ReadOnly"},
                    ],
                }
            ],
        },
    ],
    "synchronizationRules": [
        {
            "name": "rule",
            "sourceDirectoryName": "Active Directory",
            "targetDirectoryName": "Target",
            "containerFilter": {"includedContainers": [C1]},
            "groupFilter": {"includedGroups": ["{" + G1.upper() + "}"]},
            "objectMappings": [
                {
                    "name": "users",
                    "flowTypes": "Add, Update",
                    "sourceObjectName": "user",
                    "targetObjectName": "User",
                    "scope": {
                        "groups": [
                            {
                                "name": "g",
                                "clauses": [
                                    {
                                        "sourceOperandName": "company",
                                        "operatorName": "EQUALS",
                                        "targetOperand": {"values": ["Corp"]},
                                    }
                                ],
                            }
                        ]
                    },
                    "attributeMappings": [
                        {
                            "targetAttributeName": "Mail",
                            "source": {"type": "Function", "name": "Trim", "expression": "Trim([mail])"},
                            "matchingPriority": 1,
                        },
                        {"targetAttributeName": "Enabled", "defaultValue": "True", "source": None},
                    ],
                }
            ],
        }
    ],
}


def rule(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["synchronizationRules"][0]
    return found


def mapping(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rule(document)["objectMappings"][0]
    return found


def test_a_small_document_is_read() -> None:
    schema = load(SMALL)
    only = schema.rules[0]
    assert (only.included_containers, only.included_groups) == ((C1,), (G1,))
    users = only.object_mapping("USER")
    assert users is not None
    assert users.flow_types == {"Add", "Update"}
    assert users.attribute_mappings[0].source == parse("Trim([mail])")
    assert users.attribute_mappings[0].matching_priority == 1
    assert users.scope.groups[0].clauses[0].values == ("Corp",)


def test_writing_and_reading_again_changes_nothing() -> None:
    schema = load(SMALL)
    assert load(json.loads(json.dumps(dump(schema)))) == schema


def _set(
    path: Callable[[dict[str, Any]], dict[str, Any]], key: str, value: object
) -> Callable[[dict[str, Any]], None]:
    return lambda document: path(document).__setitem__(key, value)


def first(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = mapping(document)["attributeMappings"][0]
    return found


def scope_clause(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = mapping(document)["scope"]["groups"][0]["clauses"][0]
    return found


HERE = "synchronizationRules[0].objectMappings[0]"
CLAUSE = f"{HERE}.scope.groups[0].clauses[0]"
BROKEN: list[tuple[Callable[[dict[str, Any]], None], str, str]] = [
    (_set(lambda d: d, "synchronizationRules", []), "synchronizationRules", "SchemaInvalid"),
    (_set(lambda d: d, "surprise", 1), "surprise", "SchemaInvalid"),
    (_set(lambda d: d, "directories", {}), "directories", "SchemaInvalid"),
    (
        _set(rule, "sourceDirectoryName", "Nowhere"),
        "synchronizationRules[0].sourceDirectoryName",
        "SchemaInvalid",
    ),
    (_set(rule, "priority", "high"), "synchronizationRules[0].priority", "SchemaInvalid"),
    (_set(rule, "containerFilter", {"includedContainers": [1]}), "", "SchemaInvalid"),
    (
        _set(rule, "groupFilter", {"includedGroups": [G1, "CN=Pilot,DC=corp,DC=example"]}),
        "synchronizationRules[0].groupFilter.includedGroups[1]",
        "ScopeIdentityInvalid",
    ),
    (_set(mapping, "enabled", "yes"), f"{HERE}.enabled", "SchemaInvalid"),
    (_set(mapping, "flowTypes", "Add, Explode"), f"{HERE}.flowTypes", "SchemaInvalid"),
    (_set(mapping, "targetObjectName", "Robot"), f"{HERE}.targetObjectName", "SchemaInvalid"),
    (
        _set(first, "targetAttributeName", "Nope"),
        f"{HERE}.attributeMappings[0].targetAttributeName",
        "SchemaInvalid",
    ),
    (
        _set(first, "targetAttributeName", "Id"),
        f"{HERE}.attributeMappings[0].targetAttributeName",
        "SchemaInvalid",
    ),
    (_set(first, "targetAttributeName", "enabled"), f"{HERE}.attributeMappings", "SchemaInvalid"),
    (_set(first, "flowType", "Sometimes"), f"{HERE}.attributeMappings[0].flowType", "SchemaInvalid"),
    (
        _set(first, "source", {"type": "Function", "expression": "Trim("}),
        f"{HERE}.attributeMappings[0].source.expression",
        "ExpressionSyntax",
    ),
    (
        _set(first, "source", {"type": "Riddle", "name": "x"}),
        f"{HERE}.attributeMappings[0].source.type",
        "SchemaInvalid",
    ),
    (
        lambda d: mapping(d)["attributeMappings"][1].__setitem__("defaultValue", "perhaps"),
        f"{HERE}.attributeMappings[1].defaultValue",
        "BooleanExpected",
    ),
    (_set(scope_clause, "operatorName", "RHYMES WITH"), f"{CLAUSE}.operatorName", "ScopeOperatorUnknown"),
    (
        _set(scope_clause, "operatorName", "IS_MEMBER_OF"),
        f"{CLAUSE}.operatorName",
        "ScopeOperatorUnsupported",
    ),
    (_set(scope_clause, "targetOperand", {"values": []}), f"{CLAUSE}.targetOperand", "SchemaInvalid"),
    (
        lambda d: scope_clause(d).update(operatorName="REGEX MATCH", targetOperand={"values": ["("]}),
        f"{CLAUSE}.targetOperand.values[0]",
        "PatternInvalid",
    ),
]


@pytest.mark.parametrize(("breaking", "path", "code"), BROKEN)
def test_a_mistake_is_named_with_its_path(
    breaking: Callable[[dict[str, Any]], None], path: str, code: str
) -> None:
    document = copy.deepcopy(SMALL)
    breaking(document)
    with pytest.raises(SchemaError) as caught:
        load(document)
    assert caught.value.code == code
    assert caught.value.path.startswith(path)
    assert caught.value.remedy


@pytest.mark.parametrize("document", [None, [], "x", 1, {"synchronizationRules": [None]}])
def test_what_is_no_document_is_refused(document: object) -> None:
    with pytest.raises(SchemaError):
        load(document)


@pytest.mark.parametrize(
    "expression",
    [
        "[mail]",
        '"x"',
        "Mid([a],1,8)",
        'Replace([a],,"b",,"c",,)',
        'IIF([a]="b",[c] & "d",Switch([e],,"f","g","h","i"))',
        "InStr([a],[b],1,vbTextCompare)",
        'Join(",",[a],[b],[c])',
    ],
)
def test_an_expression_survives_as_a_tree(expression: str) -> None:
    node = parse(expression)
    tree = to_graph(node)
    assert from_graph(Reader(json.loads(json.dumps(tree)), "")) == node
    assert tree["expression"] == print_expression(node)


def test_numbers_appear_as_quoted_constants() -> None:
    tree = to_graph(parse("Mid([userPrincipalName],1,8)"))
    parameters = tree["parameters"]
    assert isinstance(parameters, list)
    assert [each["key"] for each in parameters] == ["source", "start", "length"]
    assert parameters[1]["value"] == {"expression": '"1"', "name": "1", "type": "Constant", "parameters": []}


def test_a_tree_without_texts_is_put_together_from_its_parts() -> None:
    tree = {
        "type": "Function",
        "name": "Replace",
        "parameters": [
            {"key": "Replacement", "value": {"type": "Constant", "name": "b"}},
            {"key": "source", "value": {"type": "Attribute", "name": "a"}},
            {"key": "Find", "value": {"type": "Constant", "name": "x"}},
        ],
    }
    assert from_graph(Reader(tree, "")) == parse('Replace([a],"x",,,"b",,)')


def test_a_tree_that_is_too_deep_is_refused() -> None:
    tree: dict[str, Any] = {"type": "Attribute", "name": "a"}
    for _ in range(300):
        tree = {"type": "Function", "name": "Trim", "parameters": [{"key": "source", "value": tree}]}
    with pytest.raises(SchemaError) as caught:
        from_graph(Reader(tree, ""))
    assert caught.value.code == "ExpressionTooDeep"


@pytest.mark.parametrize("target", ["directory", "scim", "graph"])
def test_a_default_document_can_be_read_and_written_unchanged(target: str) -> None:
    document = default_schema(
        target=target, domain_fqdn="corp.example", domain_netbios="CORP", password_hash=True
    )
    schema = load(json.loads(json.dumps(document)))
    assert dump(schema) == document
    assert load(dump(schema)) == schema


def test_an_unknown_kind_of_target_has_no_default() -> None:
    with pytest.raises(SchemaError):
        default_schema(target="fax", domain_fqdn="corp.example", domain_netbios="CORP")

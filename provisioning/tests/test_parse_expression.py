"""The command that tries expressions out."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run(*arguments: str) -> Any:
    out = StringIO()
    call_command("parse_expression", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_an_expression_is_answered_in_the_shape_of_graph() -> None:
    answer = run('Replace([preferredLanguage],"-",,,"_",,)', "--properties", '{"preferredLanguage": "EN-US"}')
    assert set(answer) == {
        "parsingSucceeded",
        "parsedExpression",
        "evaluationSucceeded",
        "evaluationResult",
        "error",
    }
    assert answer["evaluationResult"] == ["EN_US"]
    assert answer["parsedExpression"]["type"] == "Function"
    assert answer["error"] is None


def test_properties_may_come_as_graph_sends_them() -> None:
    properties = [
        {"key": "a", "value@odata.type": "#Collection(String)", "value": ["x", "y"]},
        {"key": "b", "value": None},
    ]
    assert run("Join([b],[A])", "--properties", json.dumps(properties))["evaluationResult"] == ["xy"]


def test_results_are_always_a_list_of_texts() -> None:
    assert run("Count([a])")["evaluationResult"] == ["0"]
    assert run("[a]")["evaluationResult"] == []
    assert run('""')["evaluationResult"] == [""]
    assert run("[a]", "--properties", '{"a": 1.5}')["evaluationResult"] == ["1.5"]
    assert run("IsNull([a])")["evaluationResult"] == ["True"]


def test_a_syntax_error_is_an_answer() -> None:
    answer = run("Trim([a)")
    assert (answer["parsingSucceeded"], answer["parsedExpression"], answer["evaluationResult"]) == (
        False,
        None,
        [],
    )
    assert answer["error"]["code"] == "ExpressionSyntax"
    assert "At character 9" in answer["error"]["message"]


def test_an_evaluation_error_is_an_answer() -> None:
    answer = run('Error("No account name")')
    assert (answer["parsingSucceeded"], answer["evaluationSucceeded"]) == (True, False)
    assert answer["error"]["code"] == "ExpressionError"
    assert "No account name" in answer["error"]["message"]


def test_a_batch_is_answered_item_by_item(tmp_path: Path) -> None:
    batch = tmp_path / "batch.json"
    batch.write_text(
        json.dumps(
            [
                {"expression": "Trim([a])", "properties": {"a": " x "}},
                {"expression": "Trim("},
                {"expression": 'Append([a],"\ud800")', "properties": {"a": "x"}},
            ]
        )
    )
    answers = run("--batch", str(batch))
    assert [each["evaluationSucceeded"] for each in answers] == [True, False, True]


def test_now_and_the_default_domain_can_be_given() -> None:
    assert run("Now()", "--now", "2021-07-02T15:33:38Z")["evaluationResult"] == ["7/2/2021 3:33:38 PM"]
    assert run("DefaultDomain()", "--default-domain", "contoso.com")["evaluationResult"] == ["contoso.com"]
    assert run("DefaultDomain()")["error"]["code"] == "DefaultDomainMissing"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["[a]", "--properties", "{"],
        ["[a]", "--properties", "3"],
        ["[a]", "--properties", "[1]"],
        ["--batch", "/nowhere.json"],
        ["[a]", "--now", "soon"],
        ["[a]", "--properties", "[" * 100_000],
    ],
)
def test_wrong_use_is_explained(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)

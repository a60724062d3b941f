"""The grammar: what parses, what does not, where the mistake is, and the limits."""

from __future__ import annotations

import pytest

from provisioning.engine.errors import ExpressionSyntaxError
from provisioning.engine.expressions import parse, print_expression
from provisioning.engine.expressions.nodes import Attribute, Call, Keyword, Number, Omitted, Text


def failure(expression: str) -> ExpressionSyntaxError:
    with pytest.raises(ExpressionSyntaxError) as caught:
        parse(expression)
    return caught.value


def test_an_expression_becomes_a_tree() -> None:
    tree = parse("Mid( [ mail ] ,\n &HF , )")
    assert tree == Call("Mid", (Attribute("mail"), Number("&HF"), Omitted()))


def test_escapes_stand_for_quote_and_backslash() -> None:
    assert parse(r'"Company name: \"Contoso\" \\ x"') == Text('Company name: "Contoso" \\ x')


def test_a_lone_backslash_is_kept() -> None:
    assert parse(r'"\d+"') == Text(r"\d+")
    assert print_expression(parse(r'"\d+"')) == r'"\\d+"'


def test_function_names_and_keywords_may_be_spelt_in_any_case() -> None:
    assert parse("TRIM([a])") == Call("Trim", (Attribute("a"),))
    assert parse("InStr([a],[b],1,VBTEXTCOMPARE)") == Call(
        "InStr", (Attribute("a"), Attribute("b"), Number("1"), Keyword("vbTextCompare"))
    )


def test_empty_slots_are_kept() -> None:
    tree = parse('Replace([mail], "@x.com", , ,"", ,)')
    assert isinstance(tree, Call)
    assert [isinstance(argument, Omitted) for argument in tree.arguments] == [
        False,
        False,
        True,
        True,
        False,
        True,
        True,
    ]
    assert print_expression(tree) == 'Replace([mail],"@x.com",,,"",,)'


def test_a_trailing_comma_is_tolerated_even_past_the_last_parameter() -> None:
    assert parse("Trim([a],)") == Call("Trim", (Attribute("a"), Omitted()))


def test_hex_is_told_from_joining() -> None:
    assert parse('"a"&&HF') == parse('"a" & &HF')


@pytest.mark.parametrize(
    ("expression", "position", "expected"),
    [
        ("", 0, "an attribute"),
        ("Trim([a]", 8, ", or )"),
        ("Trim([a)", 8, "]"),
        ("Trim([])", 6, "attribute's name"),
        ('Trim("a)', 8, 'closing "'),
        ("Trim([a]) x", 10, "end of the expression"),
        ("Tirm([a])", 0, "name of a function"),
        ("Trim()", 0, "at least 1 arguments"),
        ("Trim(,)", 0, "the argument source"),
        ("Trim([a],[b])", 9, "no further argument"),
        ("Trim(abc)", 5, "an attribute"),
        ('Left([a],"x")', 9, "whole number"),
        ("Left([a],vbTextCompare)", 9, "whole number"),
        ('Switch([a],"d","k")', 0, "pairs"),
        ('Trim([a]="b")', 8, "comparison only"),
        ('[a]="b"', 3, "comparison only"),
        ('IIF(IgnoreFlowIfNullOrEmpty([a]),"b","c")', 4, "condition"),
        ("Trim(SelectUniqueValue([a],[b]))", 5, "outermost"),
        ("SelectUniqueValue([a])", 0, "at least 2"),
        ("Left([a],99999999999999999999)", 9, "64 bits"),
        ("Left([a],&HFFFFFFFFFFFFFFFFF)", 9, "64 bits"),
        ('"a"&', 4, "an attribute"),
        ('Replace([a],,"(",,"b",,)', 13, "regular expression"),
    ],
)
def test_a_mistake_is_named_with_its_place(expression: str, position: int, expected: str) -> None:
    error = failure(expression)
    assert (error.position, expected in error.message) == (position, True), error.message
    assert f"At character {position + 1}:" in error.message


def test_ten_thousand_characters_are_the_limit() -> None:
    assert parse('"' + "x" * 9_998 + '"') == Text("x" * 9_998)
    assert failure('"' + "x" * 9_999 + '"').code == "ExpressionTooLong"


def test_text_that_grows_past_the_limit_when_written_properly_is_refused_too() -> None:
    assert failure('"' + "\\d" * 4_000 + '"').code == "ExpressionTooLong"


def test_nesting_is_limited() -> None:
    assert isinstance(parse("Trim(" * 100 + "[a]" + ")" * 100), Call)
    assert failure("Trim(" * 101 + "[a]" + ")" * 101).code == "ExpressionTooDeep"
    assert failure("Trim(" * 1_900 + "[a]").code == "ExpressionTooDeep"


def test_a_long_chain_of_joined_texts_is_no_nesting() -> None:
    tree = parse("&".join(["[a]"] * 2_000))
    assert parse(print_expression(tree)) == tree

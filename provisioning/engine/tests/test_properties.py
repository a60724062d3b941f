"""What must hold for any input at all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.engine.errors import ERRORS, ExpressionSyntaxError
from provisioning.engine.expressions import parse, print_expression
from provisioning.engine.expressions.functions import FUNCTIONS
from provisioning.engine.expressions.nodes import (
    COMPARISONS,
    KEYWORDS,
    Attribute,
    Call,
    Comparison,
    Concatenation,
    Keyword,
    Node,
    Number,
    Omitted,
    Text,
)
from provisioning.engine.tests.support import context, outcome
from provisioning.engine.trial import try_expression
from provisioning.engine.values import Attributes

ENDINGS = {None, *ERRORS}
NAMES = [definition.name for definition in FUNCTIONS.values()]

scalars = st.one_of(
    st.text(),
    st.integers(),
    st.booleans(),
    st.sampled_from(
        ["", "True", "0", "2021-01-01", "a@b", "CN=a,DC=b", "AAAA", "(?<n>a)", "yyyy", "d", "9" * 30]
    ),
    st.builds(lambda guid, dn: {"value": guid, "display": dn}, st.text(), st.text()),
)
values = st.one_of(st.none(), scalars, st.lists(scalars, max_size=4))
attribute_sets = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), values)

leaves: st.SearchStrategy[Node] = st.one_of(
    st.sampled_from(["a", "b", "c", "d", 'e[x eq "y"].z']).map(Attribute),
    st.text(max_size=12).map(Text),
    st.integers(min_value=-(2**63), max_value=2**63 - 1).map(str).map(Number),
    st.sampled_from(["1", "2", "&HF", "1.5", "-3"]).map(Number),
    st.sampled_from(KEYWORDS).map(Keyword),
    st.sampled_from(
        ["d", "yyyy", "ww", "yyyy-MM-dd", "2021-05-06T07:08:09Z", ",", "(?<n>.*)", "${n}", "n"]
    ).map(Text),
)


def _branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    argument = st.one_of(inner, inner, inner, st.just(Omitted()))
    comparison = st.builds(Comparison, st.sampled_from(COMPARISONS), inner, inner)
    parts = st.lists(st.one_of(inner), min_size=2, max_size=3).map(_flat)
    call = st.builds(Call, st.sampled_from(NAMES), st.lists(argument, max_size=7).map(tuple))
    choice = st.builds(Call, st.just("IIF"), st.tuples(comparison, inner, inner))
    return st.one_of(call, call, call, choice, parts)


def _flat(parts: list[Node]) -> Node:
    return Concatenation(
        tuple(sub for part in parts for sub in (part.parts if isinstance(part, Concatenation) else (part,)))
    )


trees = st.recursive(leaves, _branches, max_leaves=12)


@given(trees)
@settings(max_examples=400)
def test_parsing_what_was_printed_gives_the_same_tree(tree: Node) -> None:
    try:
        node = parse(print_expression(tree))
    except ExpressionSyntaxError:
        return
    assert parse(print_expression(node)) == node


@given(trees, attribute_sets)
@settings(max_examples=600)
def test_any_tree_gives_a_value_or_an_error_of_ours(tree: Node, attributes: Attributes) -> None:
    assert outcome(print_expression(tree), attributes) in ENDINGS


@given(st.sampled_from(NAMES), st.lists(st.one_of(trees, st.just(Omitted())), max_size=8), attribute_sets)
@settings(max_examples=800)
def test_any_function_gives_a_value_or_an_error_of_ours(
    name: str, arguments: list[Node], attributes: Attributes
) -> None:
    definition = FUNCTIONS[name.lower()]
    filled = [*arguments, *(Attribute("a") for _ in range(definition.minimum - len(arguments)))]
    assert outcome(print_expression(Call(name, tuple(filled))), attributes) in ENDINGS


@given(st.text(alphabet='()[],"\\&=<>-. 0aTrimIFN\n', max_size=60), attribute_sets)
@settings(max_examples=600)
def test_any_text_is_answered(text: str, attributes: Attributes) -> None:
    answer = try_expression(text, attributes, context())
    assert answer["parsingSucceeded"] is (answer["parsedExpression"] is not None)
    assert (answer["error"] is None) is answer["evaluationSucceeded"]


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_a_text_literal_keeps_any_text(value: str) -> None:
    assert parse(print_expression(Text(value))) == Text(value)


@given(st.text(alphabet="ab(){}[]^$.*+?|\\dwsk<>n'=!:#-,0123 ", max_size=40), st.text(max_size=40))
@settings(max_examples=600)
def test_any_pattern_matches_or_fails_with_an_error_of_ours(pattern: str, subject: str) -> None:
    given = {"p": pattern, "s": subject}
    assert outcome('Replace([s],,[p],,"$1${n}$&",,)', given) in ENDINGS
    assert outcome('Replace([s],,[p],"n","x",,)', given) in ENDINGS

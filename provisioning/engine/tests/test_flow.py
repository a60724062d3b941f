"""How single attributes flow into an object that is in the target."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.flow import ValueRules, merge
from provisioning.engine.plan import Decision, LinkStanding, decide

LISTS = st.lists(st.text(max_size=3), max_size=4, unique=True)
ONE = ValueRules(fill_only=frozenset({"Once"}))
MANY = ValueRules(merge_only=frozenset({"Many"}))
AGAIN = ValueRules(always=frozenset({"Again"}))


def change(wanted: dict[str, Any], exported: dict[str, Any], rules: ValueRules) -> Decision | None:
    """The decision over an object that is in the target; a missing value clears."""
    clears = frozenset(exported)
    return decide(
        is_wanted=True,
        link=LinkStanding.ACTIVE,
        wanted=wanted,
        exported=exported,
        clears=clears,
        rules=rules,
    )


def written(wanted: dict[str, Any], exported: dict[str, Any], rules: ValueRules) -> dict[str, Any] | None:
    """What is written of it."""
    decision = change(wanted, exported, rules)
    return decision.new if decision is not None else None


def test_an_attribute_that_is_filled_once_is_written_while_there_is_no_value() -> None:
    assert written({"Once": "a"}, {}, ONE) == {"Once": "a"}
    assert written({"Once": "a"}, {"Once": ""}, ONE) == {"Once": "a"}
    assert written({"Once": "b"}, {"Once": "a"}, ONE) is None
    assert written({}, {"Once": "a"}, ONE) is None
    assert written({"Once": False}, {"Once": True}, ONE) is None
    assert written({"Once": "b", "City": "Bern"}, {"Once": "a"}, ONE) == {"City": "Bern"}


def test_values_that_are_merged_are_never_removed() -> None:
    assert written({"Many": ["b", "c"]}, {"Many": ["a", "b"]}, MANY) == {"Many": ["a", "b", "c"]}
    assert written({"Many": ["b"]}, {"Many": ["a", "b"]}, MANY) is None
    assert written({}, {"Many": ["a"]}, MANY) is None
    assert written({"Many": None}, {"Many": ["a"]}, MANY) is None
    assert written({"Many": "c"}, {"Many": ["a"]}, MANY) == {"Many": ["a", "c"]}
    assert written({"Many": "b"}, {"Many": "a"}, MANY) is None


def test_what_flows_always_is_written_though_it_is_the_same() -> None:
    decision = change({"Again": "a", "City": "Bern"}, {"Again": "a", "City": "Bern"}, AGAIN)
    assert decision is not None
    assert (decision.old, decision.new) == ({"Again": "a"}, {"Again": "a"})
    quiet = decide(
        is_wanted=True,
        link=LinkStanding.ACTIVE,
        wanted={"Again": "a"},
        exported={"Again": "a"},
        rules=AGAIN,
        is_stale=False,
    )
    assert quiet is None


@given(held=LISTS, added=LISTS)
def test_merging_keeps_what_is_held_adds_the_rest_and_is_done_once(held: list[str], added: list[str]) -> None:
    merged = merge(held, added) or []
    assert merged[: len(held)] == held
    assert set(merged) == set(held) | set(added)
    assert len(merged) == len(set(merged))
    assert (merge(merged, added) or []) == merged

"""What takes back one thing that a cycle wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.plan import LinkStanding
from provisioning.engine.undo import (
    REFERENCE,
    Conflict,
    Present,
    Reversal,
    Written,
    decide_undo,
    is_changed_since,
)

HERE = Present()
IN_BIN = Present(link=LinkStanding.DELETED, is_there=False, is_restorable=True, exported={"City": "Bern"})
VALUES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, 2, None]))


@pytest.mark.parametrize(
    ("written", "present", "expected"),
    [
        (Written("create"), HERE, Reversal("delete")),
        (Written("restore"), HERE, Reversal("delete")),
        (Written("create"), IN_BIN, None),
        (Written("create"), replace(HERE, is_there=False), None),
        (Written("create"), replace(HERE, is_made_by_cycle=False), Conflict.WAS_THERE),
        (Written("create"), replace(HERE, is_changed=True), Conflict.CHANGED),
        (Written("create"), replace(HERE, is_known=False), Conflict.FORGOTTEN),
        (Written("delete"), IN_BIN, Reversal("restore", {}, {"City": "Bern"})),
        (Written("delete"), HERE, None),
        (Written("delete"), replace(IN_BIN, is_restorable=False), Conflict.GONE_FOR_GOOD),
        (Written("delete"), replace(IN_BIN, is_changed=True), Conflict.CHANGED),
        (Written("delete"), replace(IN_BIN, is_there=True), Conflict.CHANGED),
        (Written("delete"), replace(IN_BIN, link=LinkStanding.NONE), Conflict.FORGOTTEN),
        (Written("update", {"a": 1}, {"a": 2}), IN_BIN, Conflict.DELETED),
        (Written("update", {"a": 1}, {"a": 2}), replace(HERE, values={"a": 3}), Conflict.CHANGED),
    ],
)
def test_what_is_done_to_an_object(
    written: Written, present: Present, expected: Reversal | Conflict | None
) -> None:
    assert decide_undo(written, present) == expected


def test_an_account_that_was_disabled_is_enabled_again_and_the_other_way_round() -> None:
    on, off = {"AccountEnabled": True}, {"AccountEnabled": False}
    back = decide_undo(Written("disable", on, off), replace(HERE, values=off))
    assert back == Reversal("update", off, on)
    assert decide_undo(Written("update", off, on), replace(HERE, values=on)) == Reversal("disable", on, off)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"values": {"Manager": "new"}}, Reversal(REFERENCE, {"Manager": "new"}, {"Manager": "old"})),
        ({"values": {"Manager": "old"}}, None),
        ({"values": {"Manager": "new"}, "leaves": True}, None),
        ({"values": {"Manager": "new"}, "is_changed": True}, Conflict.CHANGED),
        ({"values": {"Manager": "other"}}, Conflict.CHANGED),
        ({"values": {"Manager": "new"}, "has_referent": False}, Conflict.NO_REFERENT),
        ({"values": {"Manager": "new"}, "link": LinkStanding.DELETED}, Conflict.DELETED),
        (
            {"values": {"Manager": "new"}, "link": LinkStanding.DELETED, "returns": True},
            Reversal(REFERENCE, {"Manager": "new"}, {"Manager": "old"}),
        ),
    ],
)
def test_what_is_done_to_a_reference(changes: dict[str, Any], expected: Reversal | Conflict | None) -> None:
    written = Written(REFERENCE, {"Manager": "old"}, {"Manager": "new"})
    assert decide_undo(written, replace(HERE, **changes)) == expected


@given(old=VALUES, new=VALUES, other=VALUES)
def test_old_values_come_back_and_others_stay(
    old: dict[str, Any], new: dict[str, Any], other: dict[str, Any]
) -> None:
    written = Written("update", {name: old.get(name) for name in new}, new)
    held = {**other, **new}
    back = decide_undo(written, replace(HERE, values=held))
    after = {**held, **(back.new if isinstance(back, Reversal) else {})}
    for name in {*held, *new}:
        assert after.get(name) == (old.get(name) if name in new else held.get(name))
    # A second time there is nothing to do.
    assert decide_undo(written, replace(HERE, values=after)) is None


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        ([], False),
        ([(2, None)], True),
        ([(2, None), (3, 2)], False),
        ([(2, None), (3, 2), (4, 3)], True),
        ([(2, None), (3, 2), (4, 3), (5, 4)], False),
        ([(2, 1), (3, 2)], False),
        ([(2, None), (3, None), (4, 3)], True),
        ([(2, 0)], True),
    ],
)
def test_what_was_undone_does_not_stand(later: list[tuple[int, int | None]], *, expected: bool) -> None:
    assert is_changed_since(1, later) is expected

"""Which differences are ours to mend."""

from __future__ import annotations

from typing import Any

import pytest

from provisioning.engine import drift
from provisioning.engine.flow import PLAIN, ValueRules

RULES = ValueRules(fill_only=frozenset({"Fill"}), merge_only=frozenset({"Merge"}))


@pytest.mark.parametrize(
    ("name", "written", "held", "is_drift"),
    [
        ("Plain", "a", "b", True),
        ("Plain", "a", None, True),
        ("Fill", "a", "b", False),
        ("Fill", "a", "", True),
        ("Fill", ["a"], None, True),
        ("Merge", ["a", "b"], ["c", "b", "a"], False),
        ("Merge", ["a", "b"], ["a"], True),
        ("Merge", "a", "b", False),
        ("Merge", "a", None, True),
    ],
)
def test_an_attribute_drifts_where_an_export_would_write_it_again(
    name: str, written: Any, held: Any, is_drift: bool
) -> None:
    assert bool(drift.drifted({name: (written, held)}, RULES)) is is_drift
    assert drift.drifted({name: (written, held)}, PLAIN)


@pytest.mark.parametrize(
    ("written", "held", "disables"), [(False, True, True), (False, None, True), (True, False, False)]
)
def test_an_account_that_somebody_enabled_would_be_disabled(written: bool, held: Any, disables: bool) -> None:
    assert drift.would_disable({"AccountEnabled": (written, held)}) is disables
    assert not drift.would_disable({"Department": (written, held)})


@pytest.mark.parametrize(
    ("kind", "flow"), [("missing", "Add"), ("deleted", "Add"), ("returned", "Delete"), ("changed", "Update")]
)
def test_what_a_flow_type_leaves_alone_is_not_ours(kind: str, flow: str) -> None:
    every = {"Add", "Update", "Delete"}
    assert drift.is_ours(kind, every)
    assert not drift.is_ours(kind, every - {flow})

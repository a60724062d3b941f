"""The guard counts in numbers and in percent, over all objects, by type, and for memberships."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.guard import KINDS, MEMBERSHIP, GuardSettings, Limit, Removals, breaches, holds


def settings(**limits: Limit) -> GuardSettings:
    return GuardSettings(enabled=True, threshold=500, limits=limits)


def of_kind(kind: str, removed: int, present: int) -> Removals:
    is_object = kind != MEMBERSHIP
    return Removals(removed if is_object else 0, 0, {kind: removed}, {kind: present})


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_number_of_its_own(kind: str) -> None:
    limits = settings(**{kind: Limit(number=10)})
    assert breaches(of_kind(kind, 9, 100), limits) == []
    assert breaches(of_kind(kind, 10, 100), limits) == [f"10 {kind}s, where the threshold is 10"]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_percentage_of_its_own(kind: str) -> None:
    limits = settings(**{kind: Limit(percent=10)})
    assert breaches(of_kind(kind, 19, 200), limits) == []
    assert breaches(of_kind(kind, 20, 200), limits) == [f"20 of 200 {kind}s, where the threshold is 10 %"]


def test_a_limit_of_one_kind_does_not_look_at_another() -> None:
    assert breaches(of_kind("user", 400, 400), settings(group=Limit(number=1, percent=1))) == []


def test_every_limit_that_is_reached_is_named() -> None:
    limits = settings(user=Limit(number=5, percent=50))
    assert len(breaches(of_kind("user", 600, 600), limits)) == 3


def test_an_empty_target_that_loses_nothing_is_not_held() -> None:
    assert breaches(Removals(0, 0), settings(user=Limit(percent=1))) == []


def test_memberships_do_not_count_as_objects() -> None:
    assert breaches(of_kind(MEMBERSHIP, 499_999, 1_000_000), settings()) == []


@given(
    removed=st.integers(0, 2_000),
    present=st.integers(0, 2_000),
    number=st.none() | st.integers(1, 2_000),
    percent=st.none() | st.integers(1, 100),
)
def test_more_removals_never_free_a_cycle(
    removed: int, present: int, number: int | None, percent: int | None
) -> None:
    limits = settings(user=Limit(number, percent))
    if holds(of_kind("user", removed, present), limits, allowed_by_person=False):
        assert holds(of_kind("user", removed + 1, present), limits, allowed_by_person=False)

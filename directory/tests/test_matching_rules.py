"""The decision about an object that met others: soft match, refusal, or parking."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from directory.matching import (
    ADDRESSES,
    CONFLICT,
    MATCHED_BY,
    OTHER_TYPE,
    PRINCIPAL_NAME,
    Holder,
    MatchPolicy,
    Refuse,
    TakeOver,
    Write,
    decide,
)

FREE = MatchPolicy()
STRICT = MatchPolicy(parks_duplicates=False)
HOLDERS = st.lists(
    st.builds(
        Holder, st.sampled_from(MATCHED_BY), st.integers(1, 3), st.booleans(), has_anchor=st.booleans()
    ),
    max_size=4,
)
POLICIES = st.builds(MatchPolicy, st.booleans(), st.booleans(), st.booleans())


def holder(attribute: str, number: int, *, same: bool = True, anchored: bool = False) -> Holder:
    return Holder(attribute, number, same, anchored)


def test_the_principal_name_counts_more_than_the_address() -> None:
    name, address = holder(PRINCIPAL_NAME, 1), holder(ADDRESSES, 2)
    assert decide([address, name], FREE, is_new=True) == TakeOver(1, (ADDRESSES,))
    assert decide([address, name], STRICT, is_new=True) == Refuse(CONFLICT, ADDRESSES)
    assert decide([address], STRICT, is_new=True) == TakeOver(2)


def test_one_object_that_holds_both_is_taken_over_whole() -> None:
    both = [holder(PRINCIPAL_NAME, 1), holder(ADDRESSES, 1)]
    assert decide(both, STRICT, is_new=True) == TakeOver(1)


def test_a_candidate_with_another_anchor_ends_the_search() -> None:
    found = [holder(PRINCIPAL_NAME, 1, anchored=True), holder(ADDRESSES, 2)]
    assert decide(found, STRICT, is_new=True) == Refuse(CONFLICT, PRINCIPAL_NAME)
    assert decide(found, FREE, is_new=True) == Write((PRINCIPAL_NAME, ADDRESSES))


@given(holders=HOLDERS, policy=POLICIES)
def test_an_object_that_is_synchronized_never_merges(holders: list[Holder], policy: MatchPolicy) -> None:
    assert not isinstance(decide(holders, policy, is_new=False), TakeOver)


@given(holders=HOLDERS, policy=POLICIES, is_new=st.booleans())
def test_whatever_is_held_is_taken_over_parked_or_refused(
    holders: list[Holder], policy: MatchPolicy, is_new: bool
) -> None:
    decision = decide(holders, policy, is_new=is_new)
    if any(not one.is_same_type for one in holders):
        assert isinstance(decision, Refuse)
        assert decision.code == OTHER_TYPE
    elif isinstance(decision, TakeOver):
        assert not policy.blocks_soft_match
        assert any(one.object_id == decision.object_id and not one.has_anchor for one in holders)
    elif isinstance(decision, Write):
        assert set(decision.parked) == {one.attribute for one in holders}
    if decision != Write() and not isinstance(decision, Refuse) and decision.parked:
        assert policy.parks_duplicates

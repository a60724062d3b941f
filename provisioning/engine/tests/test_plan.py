"""Decisions about single objects, the delete guard, and the schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provisioning.engine.guard import GuardSettings, Removals, holds
from provisioning.engine.plan import ALL_FLOWS, Action, Decision, LinkStanding, allowed_flows, decide
from provisioning.engine.schedule import QUARANTINE_LIMIT_S, next_quarantined_run, next_run, phase_of

ACTIVE, NONE, DELETED = LinkStanding.ACTIVE, LinkStanding.NONE, LinkStanding.DELETED
NAMES = st.sampled_from(["AccountEnabled", "DisplayName", "City", "ProxyAddresses"])
VALUES = st.none() | st.booleans() | st.text(max_size=4) | st.lists(st.text(max_size=3), max_size=3)
DOCUMENTS = st.dictionaries(NAMES, VALUES.filter(lambda value: value is not None))
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_an_object_that_enters_scope_is_created_once() -> None:
    assert decide(is_wanted=True, link=NONE, wanted={"City": "Bern"}, exported={}) == Decision(
        Action.CREATE, {}, {}
    )
    assert decide(is_wanted=True, link=ACTIVE, wanted={"City": "Bern"}, exported={"City": "Bern"}) is None


def test_an_object_that_comes_back_is_restored() -> None:
    assert decide(is_wanted=True, link=DELETED, wanted={}, exported={}) == Decision(Action.RESTORE, {}, {})


def test_an_object_that_leaves_scope_is_deleted_once() -> None:
    assert decide(is_wanted=False, link=ACTIVE, wanted={}, exported={}) == Decision(Action.DELETE, {}, {})
    assert decide(is_wanted=False, link=DELETED, wanted={}, exported={}) is None
    assert decide(is_wanted=False, link=NONE, wanted={}, exported={}) is None


def test_an_update_names_only_what_differs() -> None:
    decision = decide(
        is_wanted=True,
        link=ACTIVE,
        wanted={"City": "Bern", "Title": "A"},
        exported={"City": "Basel", "Title": "A"},
    )
    assert decision == Decision(Action.UPDATE, {"City": "Basel"}, {"City": "Bern"})


def test_a_disabled_account_is_told_apart_from_an_update() -> None:
    for before in (True, None):
        exported = {} if before is None else {"AccountEnabled": before}
        decision = decide(is_wanted=True, link=ACTIVE, wanted={"AccountEnabled": False}, exported=exported)
        assert decision is not None
        assert decision.action is Action.DISABLE
    again = decide(
        is_wanted=True, link=ACTIVE, wanted={"AccountEnabled": False}, exported={"AccountEnabled": False}
    )
    assert again is None


def test_a_missing_value_clears_where_the_schema_says_so_and_else_leaves_alone() -> None:
    exported = {"City": "Bern", "Nickname": "Ada"}
    decision = decide(is_wanted=True, link=ACTIVE, wanted={}, exported=exported, clears={"City"})
    assert decision == Decision(Action.UPDATE, {"City": "Bern"}, {"City": None})


@given(is_wanted=st.booleans(), link=st.sampled_from(LinkStanding), wanted=DOCUMENTS, exported=DOCUMENTS)
def test_applying_a_decision_leaves_nothing_to_decide(
    is_wanted: bool, link: LinkStanding, wanted: dict[str, Any], exported: dict[str, Any]
) -> None:
    clears = {"City", "DisplayName"}
    decision = decide(is_wanted=is_wanted, link=link, wanted=wanted, exported=exported, clears=clears)
    if decision is None:
        return
    standing = DELETED if decision.action is Action.DELETE else ACTIVE
    written = {**(wanted if link is not ACTIVE else exported), **decision.new}
    held = {name: value for name, value in written.items() if value is not None}
    assert decide(is_wanted=is_wanted, link=standing, wanted=wanted, exported=held, clears=clears) is None


_FLOW_OF = {
    Action.CREATE: "Add",
    Action.RESTORE: "Add",
    Action.UPDATE: "Update",
    Action.DISABLE: "Update",
    Action.DELETE: "Delete",
}


@given(
    is_wanted=st.booleans(),
    link=st.sampled_from(LinkStanding),
    wanted=DOCUMENTS,
    exported=DOCUMENTS,
    flows=st.frozensets(st.sampled_from(sorted(ALL_FLOWS))),
)
def test_a_decision_is_what_it_would_be_or_nothing_where_its_flow_is_missing(
    is_wanted: bool,
    link: LinkStanding,
    wanted: dict[str, Any],
    exported: dict[str, Any],
    flows: frozenset[str],
) -> None:
    free = decide(is_wanted=is_wanted, link=link, wanted=wanted, exported=exported)
    bound = decide(is_wanted=is_wanted, link=link, wanted=wanted, exported=exported, flows=flows)
    assert bound == (free if free is not None and _FLOW_OF[free.action] in flows else None)


def test_skipping_out_of_scope_deletions_lets_deletions_in_ad_through() -> None:
    def flows(gone_reason: str, *, skips: bool) -> frozenset[str]:
        return allowed_flows(ALL_FLOWS, gone_reason=gone_reason, skips_out_of_scope_deletions=skips)

    assert flows("deleted", skips=True) == ALL_FLOWS
    for reason in ("", "outOfScope", "unseen"):
        assert flows(reason, skips=True) == {"Add", "Update"}
        assert flows(reason, skips=False) == ALL_FLOWS


def test_the_guard_lets_one_fewer_than_the_threshold_pass() -> None:
    settings = GuardSettings(enabled=True, threshold=500)
    assert not holds(Removals(deletions=400, disables=99), settings, allowed_by_person=False)
    assert holds(Removals(deletions=400, disables=100), settings, allowed_by_person=False)


def test_the_guard_gives_way_to_a_person_and_to_its_switch() -> None:
    many = Removals(deletions=10_000, disables=0)
    assert not holds(many, GuardSettings(enabled=True, threshold=1), allowed_by_person=True)
    assert not holds(many, GuardSettings(enabled=False, threshold=1), allowed_by_person=False)


@given(after=MOMENTS, interval=st.integers(5, 86_400), identifier=st.binary(min_size=16, max_size=16))
def test_the_next_run_is_within_one_interval_and_keeps_its_phase(
    after: datetime, interval: int, identifier: bytes
) -> None:
    phase = phase_of(identifier, interval)
    moment = next_run(after, interval, phase)
    assert after < moment <= after + timedelta(seconds=interval)
    assert int(moment.timestamp()) % interval == phase


@given(after=MOMENTS, failures=st.integers(0, 10_000))
def test_a_quarantined_job_runs_at_least_once_a_day(after: datetime, failures: int) -> None:
    moment = next_quarantined_run(after, 120, failures)
    assert timedelta(seconds=120) <= moment - after <= timedelta(seconds=QUARANTINE_LIMIT_S)

"""Whatever the source and the target hold: one cycle makes them agree, and a crash changes nothing about it."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioning.models import Change, GroupFill, MemberChange
from provisioning.services import exporting, planning, watchdog
from provisioning.services.clock import now
from provisioning.services.hints import Hint, Step
from provisioning.store import changes, members, pending, references
from provisioning.tests import states
from provisioning.tests.answering import Bench, Resource, run_one, run_to_end
from provisioning.tests.states import STATES, State

pytestmark = pytest.mark.django_db(transaction=True)
# Each example runs several cycles against the real database, and checks after every one of them.
FEW = settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
HISTORIES = st.lists(STATES, min_size=1, max_size=2)


class Killed(Exception):
    """The worker is gone."""


@pytest.fixture
def _one_change_to_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches commit by themselves: with one change in each, any prefix of the changes can be what is left."""
    for module in (planning, exporting):
        monkeypatch.setattr(module, "BATCH_SIZE", 1)
    for name in ("MEMBER_BATCH_SIZE", "FILL_BATCH_SIZE"):
        monkeypatch.setattr(planning, name, 1)


def begin_afresh(history: list[State]) -> Bench:
    """A configuration that has been through these states."""
    states.empty_the_database()
    bench = Bench.set_up(delete_threshold=1_000)
    for state in history:
        bench.cycle(states.told_whole(state), mode="initial")
        assert states.held() == states.wanted(state)
    return bench


def assert_nothing_is_left(bench: Bench, told: list[Resource], mode: str) -> None:
    """Another cycle finds nothing to do, also where it looks though nothing is pending; and leaves nothing pending."""
    with patch.object(pending, "is_anything", return_value=True):
        cycle = bench.cycle(told, mode=mode)
    assert cycle.count_planned == 0
    assert not Change.objects.filter(cycle=cycle).exists()
    assert not MemberChange.objects.filter(cycle=cycle).exists()
    assert not GroupFill.objects.exists()
    assert not pending.is_anything(bench.configuration.pk, cycle.pk, now())


@FEW
@given(history=HISTORIES, state=STATES)
def test_applying_a_plan_leaves_the_second_plan_empty(history: list[State], state: State) -> None:
    bench = begin_afresh(history)
    cycle = bench.cycle(states.told_whole(state), mode="initial")
    assert cycle.count_failed == 0
    assert states.held() == states.wanted(state)
    assert_nothing_is_left(bench, [], "delta")
    assert_nothing_is_left(bench, states.told_whole(state), "initial")


@FEW
@given(first=STATES, following=st.lists(STATES, min_size=1, max_size=3))
def test_a_delta_ends_where_a_full_read_would(first: State, following: list[State]) -> None:
    bench = begin_afresh([first])
    for before, state in pairwise([first, *following]):
        bench.cycle(states.told_as_delta(before, state))
        assert states.held() == states.wanted(state)
    assert_nothing_is_left(bench, states.told_whole(following[-1]), "initial")


@FEW
@given(history=HISTORIES, state=STATES, prefix=st.integers(0, 20), lost=st.booleans())
@pytest.mark.usefixtures("_one_change_to_a_batch")
def test_a_crash_after_any_prefix_of_the_changes_ends_in_the_same_state(
    history: list[State], state: State, prefix: int, lost: bool
) -> None:
    bench = begin_afresh(history)
    cycle = bench.begin()
    bench.answer(states.told_whole(state), mode="initial")
    waiting = run_some([Hint(Step.INGEST, cycle.pk)], prefix)
    if waiting and lost:
        die_before_the_commit(waiting[0])
    resume()
    cycle.refresh_from_db()
    assert cycle.step == "done"
    assert states.held() == states.wanted(state)
    assert_nothing_is_left(bench, states.told_whole(state), "initial")


def run_some(hints: list[Hint], steps: int) -> list[Hint]:
    """Run so many hints, then stop dead; what was waiting is lost to the workers."""
    waiting = deque(hints)
    while waiting and steps > 0:
        waiting.extend(run_one(waiting.popleft()))
        steps -= 1
    return list(waiting)


def die_before_the_commit(hint: Hint) -> None:
    """The worker writes to the target and dies before it can note what it did."""
    with (
        patch.object(changes, "record", side_effect=Killed),
        patch.object(members, "record", side_effect=Killed),
        patch.object(references, "record", side_effect=Killed),
    ):
        try:
            run_one(hint)
        except Killed:
            return


def resume() -> None:
    """The watchdog finds what stopped moving, until nothing does."""
    while hints := watchdog.stalled(now() + timedelta(hours=1)):
        run_to_end(hints)

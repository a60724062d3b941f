"""Undoing a cycle: everything is as it was before, but for what was changed again since."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from directory.models import Contact, Group, Membership, User
from provisioning.models import Change, Cycle, CycleStep, Job, JobState, LinkMember, ProvisioningLogEntry
from provisioning.services import jobs, undoing, watchdog
from provisioning.services.clock import now
from provisioning.services.jobs import JobRefused
from provisioning.tests import states
from provisioning.tests.answering import (
    Bench,
    Resource,
    changed,
    group,
    guid_of,
    membership_change,
    run_one,
    run_to_end,
    tombstone,
    user,
)
from provisioning.tests.states import STATES, State
from provisioning.tests.test_neighbours import another

pytestmark = pytest.mark.django_db(transaction=True)
FEW = settings(
    max_examples=5,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def everything() -> list[Any]:
    """What the directory holds and does not have in its bin, and the memberships we know we wrote."""
    rows: list[Any] = []
    for model in (User, Group, Contact):
        fields = ["id", "attributes", *(["manager_id"] if model is not Group else [])]
        rows += model.objects.filter(deleted_at__isnull=True).order_by("id").values_list(*fields)
    rows += Membership.objects.order_by("group_id", "member_id").values_list("group_id", "member_id")
    rows += LinkMember.objects.order_by("group_id", "member_id").values_list("group_id", "member_id")
    return rows


def undo(cycle: Cycle) -> Cycle:
    """Undo to the end, just as it was previewed."""
    shown = undoing.preview(cycle, now())
    begun, hints = undoing.start(cycle, now(), fingerprint=shown.fingerprint)
    run_to_end(hints)
    begun.refresh_from_db()
    return begun


@FEW
@given(before=STATES, after=STATES)
def test_whatever_a_cycle_wrote_its_undo_takes_back(before: State, after: State) -> None:
    states.empty_the_database()
    bench = Bench.set_up(delete_threshold=1_000)
    bench.cycle(states.told_whole(before), mode="initial")
    held = everything()
    cycle = bench.cycle(states.told_as_delta(before, after))
    written = everything()
    undone = undo(cycle)
    assert (undone.step, undone.count_failed) == (CycleStep.DONE, 0)
    assert everything() == held
    assert undoing.preview(cycle, now()).does_nothing
    # An undo is a cycle, and can be undone.
    undo(undone)
    assert everything() == written
    # What AD says is written again once a person starts the job.
    undo(Cycle.objects.latest("id"))
    assert bench.job.state == JobState.PAUSED
    jobs.start(bench.job, now())
    bench.cycle([])
    assert states.held() == states.wanted(after)


def test_a_delta_is_taken_back_and_told() -> None:
    bench = Bench.set_up()
    ada, bob, eve = user("ada", title="Clerk", l="Bern"), user("bob"), user("eve")
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, eve, team])
    held = everything()
    cycle = bench.cycle(
        [
            changed(ada, title="Head", l=None, accountDisabled=True),
            tombstone(bob),
            user("new"),
            membership_change(team, added=[guid_of(eve)], removed=[guid_of(ada)]),
        ]
    )
    shown = undoing.preview(cycle, now())
    assert dict(shown.changes) == {("user", "update"): 1, ("user", "restore"): 1, ("user", "delete"): 1}
    assert (shown.memberships_added, shown.memberships_removed) == (2, 1)
    undone = undo(cycle)
    assert everything() == held
    assert (undone.kind, undone.undoes_id, undone.count_exported) == ("undo", cycle.pk, 6)
    rows = ProvisioningLogEntry.objects.filter(cycle_id=undone.pk, status="Success")
    assert sorted(rows.values_list("action", flat=True)) == ["Create", "Delete", "Update", "Update", "Update"]
    update = rows.get(action="Update", object_type=1)
    assert {"displayName": "JobTitle", "oldValue": "Head", "newValue": "Clerk"} in update.modified
    assert {"displayName": "City", "oldValue": None, "newValue": "Bern"} in update.modified
    job = bench.job
    assert (job.state, job.state_reason, job.next_run_at) == (JobState.PAUSED, "CycleUndone", None)


def test_an_old_name_is_free_again_before_it_is_put_back() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    ada = user("ada")
    bench.cycle([ada])
    held = everything()
    heir = user("heir", userPrincipalName="ada@corp.example")
    cycle = bench.cycle([changed(ada, userPrincipalName="lovelace@corp.example"), heir])
    assert cycle.count_failed == 0
    assert undo(cycle).count_failed == 0
    assert everything() == held


def test_what_was_changed_again_since_is_left_alone_and_told() -> None:
    bench = Bench.set_up()
    people = [user(name, title="Clerk") for name in ("ada", "bob", "eve", "dan")]
    ada, bob, eve, _ = people
    bench.cycle(people)
    late, gone = user("late"), user("gone")
    cycle = bench.cycle([*(changed(one, title="Head") for one in people), late, gone])
    bench.cycle([changed(ada, title="Chief"), changed(bob, title="Head", l="Bern"), changed(late, l="Bern")])
    bench.cycle([tombstone(eve)])
    by_hand = User.objects.get(display_name="dan")
    by_hand.attributes["JobTitle"] = "Boss"
    by_hand.save()
    shown = undoing.preview(cycle, now())
    assert dict(shown.conflicts) == {("user", "ChangedSince"): 3, ("user", "DeletedSince"): 1}
    undone = undo(cycle)
    titles = {one.display_name: one.attributes.get("JobTitle") for one in User.objects.all()}
    assert titles == {
        "ada": "Chief",
        "bob": "Clerk",
        "eve": "Head",
        "dan": "Boss",
        "late": None,
        "gone": None,
    }
    assert User.objects.get(display_name="gone").deleted_at is not None
    assert User.objects.get(display_name="late").deleted_at is None
    # What a later cycle did to another attribute stays.
    assert User.objects.get(display_name="bob").attributes["City"] == "Bern"
    skipped = ProvisioningLogEntry.objects.filter(cycle_id=undone.pk, status="Skipped")
    assert {row.source_name.partition(",")[0] for row in skipped} == {"CN=ada", "CN=eve", "CN=dan", "CN=late"}


def test_one_goes_back_over_several_cycles_the_newest_first() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada", title="Clerk"), user("bob")
    first = bench.cycle([ada, bob])
    second = bench.cycle([changed(ada, title="Head"), tombstone(bob)])
    held = everything()
    third = bench.cycle([changed(ada, title="Chief"), bob])
    assert ("user", "ChangedSince") in undoing.preview(first, now()).conflicts
    undo(third)
    assert everything() == held
    undo(second)
    assert not undoing.preview(first, now()).conflicts
    undo(first)
    assert everything() == []


def test_an_object_that_was_taken_over_is_not_deleted() -> None:
    moment = now()
    User.objects.create(
        attributes={"UserPrincipalName": "ada@corp.example", "DisplayName": "Ada of the cloud"},
        created_at=moment,
        updated_at=moment,
    )
    bench = Bench.set_up()
    cycle = bench.cycle([user("ada"), user("bob")])
    assert dict(undoing.preview(cycle, now()).conflicts) == {("user", "WasThereBefore"): 1}
    undo(cycle)
    assert [str(one) for one in User.objects.filter(deleted_at__isnull=True)] == ["ada@corp.example"]


def test_what_is_gone_for_good_can_not_be_restored() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    cycle = bench.cycle([tombstone(ada)])
    User.objects.update(deleted_at=now() - timedelta(days=30))
    shown = undoing.preview(cycle, now())
    assert (dict(shown.conflicts), shown.does_nothing) == ({("user", "DeletedForGood"): 1}, True)


def test_the_guard_holds_an_undo_and_a_person_decides() -> None:
    bench = Bench.set_up(delete_threshold=3)
    cycle = bench.cycle([user(f"user{number}") for number in range(3)])
    assert undoing.preview(cycle, now()).held_for == ("3 objects, where the threshold is 3",)
    held = undo(cycle)
    assert (held.step, bench.job.state) == (CycleStep.HELD, JobState.HELD)
    assert "This undo would delete 3" in bench.job.state_detail
    assert not User.objects.filter(deleted_at__isnull=False).exists()
    jobs.reject_deletes(bench.job, now())
    assert bench.job.state == JobState.PAUSED
    undo(cycle)
    jobs.allow_deletes(bench.job, now())
    assert (bench.job.state, bench.job.state_reason) == (JobState.PAUSED, "CycleUndone")
    resume()
    assert not User.objects.filter(deleted_at__isnull=True).exists()
    assert bench.job.state == JobState.PAUSED


def test_memberships_count_for_the_guard_of_an_undo() -> None:
    bench = Bench.set_up(membership_delete_threshold=2)
    people = [user(f"user{number}") for number in range(2)]
    team = group("team", [])
    bench.cycle([*people, team])
    cycle = bench.cycle([membership_change(team, added=[guid_of(one) for one in people])])
    assert undo(cycle).step == CycleStep.HELD
    assert Membership.objects.count() == 2


def test_what_a_deletion_took_from_groups_and_reports_of_another_domain_comes_back() -> None:
    main, child = Bench.set_up(), another("child")
    zoe = user("zoe")
    bob = user("bob", manager={"value": zoe["id"], "display": "CN=zoe"})
    quietly(child, zoe)
    quietly(main, bob, group("team", [guid_of(zoe), guid_of(bob)]))
    held = everything()
    cycle = quietly(child, tombstone(zoe))
    assert everything() != held
    undo(cycle)
    assert everything() == held


def quietly(bench: Bench, *resources: Resource) -> Cycle:
    """One cycle of one domain, the others resting."""
    Job.objects.exclude(pk=bench.job.pk).update(next_run_at=now() + timedelta(hours=1))
    return bench.cycle(list(resources))


@pytest.mark.parametrize("steps", range(5))
def test_an_undo_that_is_interrupted_goes_on_where_it_stood(
    steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "BATCH_SIZE", 1)
    bench = Bench.set_up()
    ada, bob = user("ada", title="Clerk"), user("bob")
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, team])
    held = everything()
    cycle = bench.cycle([changed(ada, title="Head"), tombstone(bob), user("new"), user("newer")])
    begun, hints = undoing.start(cycle, now())
    waiting = deque(hints)
    for _ in range(steps):
        waiting.extend(run_one(waiting.popleft()))
    resume()
    begun.refresh_from_db()
    assert (begun.step, begun.count_failed, bench.job.current_cycle) == (CycleStep.DONE, 0, None)
    assert everything() == held


def resume() -> None:
    """The watchdog finds what stopped moving, until nothing does."""
    while hints := watchdog.stalled(now() + timedelta(hours=1)):
        run_to_end(hints)


def test_an_undo_waits_for_nobody_and_is_refused_where_it_can_not_be() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([user("ada")])
    shown = undoing.preview(cycle, now())
    bench.cycle([user("bob")])
    User.objects.filter(display_name="ada").update(attributes={"DisplayName": "ada"})
    assert refusal(cycle, shown.fingerprint) == "UndoHasChanged"
    under_way = bench.begin()
    assert refusal(cycle) == "CycleUnderWay"
    assert refusal_of_preview(under_way) == "CycleNotUndoable"
    Cycle.objects.filter(pk=cycle.pk).update(keeps_traces=False)
    cycle.refresh_from_db()
    assert refusal_of_preview(cycle) == "CycleNotUndoable"


def refusal(cycle: Cycle, fingerprint: str = "") -> str:
    with pytest.raises(JobRefused) as refused:
        undoing.start(cycle, now(), fingerprint=fingerprint)
    return refused.value.code


def refusal_of_preview(cycle: Cycle) -> str:
    with pytest.raises(JobRefused) as refused:
        undoing.preview(cycle, now())
    return refused.value.code


def test_a_first_cycle_keeps_no_trace_of_what_it_created() -> None:
    """A million memberships of a first cycle are not written twice."""
    bench = Bench.set_up()
    ada = user("ada")
    cycle = bench.cycle([ada, group("team", [guid_of(ada)])])
    assert not cycle.member_changes.exists()
    assert not Change.objects.filter(cycle=cycle).exclude(old={}).exists()
    undo(cycle)
    assert everything() == []

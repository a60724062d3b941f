"""Cycles through the real bus and the real database into the built-in directory."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from directory.models import Group, Membership, User
from provisioning.models import Change, CycleStep, JobState, Link, Notification, ProvisioningLogEntry
from provisioning.services import jobs, restarting
from provisioning.services.clock import now
from provisioning.tests.answering import (
    Bench,
    changed,
    group,
    guid_of,
    membership_change,
    tombstone,
    user,
)

pytestmark = pytest.mark.django_db(transaction=True)


def names_in(name: str) -> set[str]:
    """Display names of a group's members in the directory."""
    members = Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True)
    users = User.objects.filter(pk__in=members).values_list("display_name", flat=True)
    return {str(one) for one in users}


def everything() -> list[object]:
    """All of the directory, to see that nothing was touched."""
    rows: list[object] = list(
        User.objects.order_by("id").values_list("id", "attributes", "updated_at", "deleted_at")
    )
    rows += list(Group.objects.order_by("id").values_list("id", "attributes", "updated_at", "deleted_at"))
    rows += list(Membership.objects.order_by("group_id", "member_id").values_list("group_id", "member_id"))
    return rows


def test_an_initial_cycle_brings_everyone_with_managers_and_memberships() -> None:
    bench = Bench.set_up()
    ada = user("ada", department="R&D")
    bob = user("bob", manager={"value": ada["id"], "display": "CN=ada"}, accountDisabled=True)
    cycle = bench.cycle([ada, bob], [group("team", [guid_of(ada), guid_of(bob), uuid4()])])
    assert (cycle.step, cycle.count_imported, cycle.count_failed) == (CycleStep.DONE, 3, 0)
    assert User.objects.get(display_name="ada").department == "R&D"
    in_cloud = User.objects.get(display_name="bob")
    assert in_cloud.account_enabled is False
    assert in_cloud.manager_id == User.objects.get(display_name="ada").pk
    assert names_in("team") == {"ada", "bob"}
    assert bench.job.watermark == "watermark-1"


def test_a_second_cycle_with_nothing_changed_writes_nothing() -> None:
    bench = Bench.set_up()
    people = [user("ada"), user("bob")]
    everyone = [*people, group("team", [guid_of(one) for one in people])]
    bench.cycle(everyone)
    before, logged = everything(), ProvisioningLogEntry.objects.count()
    cycle = bench.cycle()
    assert cycle.count_planned == 0
    # Nor does a full read that tells what is known already.
    again = bench.cycle(everyone, mode="initial")
    assert (again.kind, again.count_planned) == ("initial", 0)
    assert everything() == before
    assert ProvisioningLogEntry.objects.count() == logged


def test_a_delta_changes_only_what_changed() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada", title="Clerk", l="Bern"), user("bob")
    bench.cycle([ada, bob])
    cycle = bench.cycle([changed(ada, title="Head", l=None)])
    assert (cycle.kind, cycle.count_exported) == ("delta", 1)
    in_cloud = User.objects.get(display_name="ada")
    assert in_cloud.attributes["JobTitle"] == "Head"
    assert "City" not in in_cloud.attributes
    entry = ProvisioningLogEntry.objects.get(cycle_id=cycle.pk)
    assert (entry.action, entry.status) == ("Update", "Success")
    assert {"displayName": "JobTitle", "oldValue": "Clerk", "newValue": "Head"} in entry.modified
    assert {"displayName": "City", "oldValue": "Bern", "newValue": None} in entry.modified


def test_memberships_travel_as_additions_and_removals() -> None:
    bench = Bench.set_up()
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, eve, team])
    cycle = bench.cycle([membership_change(team, added=[guid_of(eve)], removed=[guid_of(ada)])])
    assert names_in("team") == {"bob", "eve"}
    assert cycle.count_exported == 2


def test_a_member_that_comes_into_scope_later_is_linked_by_itself() -> None:
    bench = Bench.set_up()
    ada, late = user("ada"), user("late")
    bench.cycle([ada, group("team", [guid_of(ada), guid_of(late)])])
    assert names_in("team") == {"ada"}
    bench.cycle([late])
    assert names_in("team") == {"ada", "late"}


def test_a_manager_that_comes_later_is_linked_by_itself() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    report = user("report", manager={"value": boss["id"], "display": "CN=boss"})
    bench.cycle([report])
    assert User.objects.get(display_name="report").manager_id is None
    bench.cycle([boss])
    assert User.objects.get(display_name="report").manager_id == User.objects.get(display_name="boss").pk


def test_a_deleted_user_is_soft_deleted_and_comes_back_with_its_memberships() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada", l="Bern"), user("bob")
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, team])
    bench.cycle([tombstone(ada)])
    assert User.objects.get(display_name="ada").deleted_at is not None
    assert names_in("team") == {"bob"}
    bench.cycle([changed(ada, l=None)])
    back = User.objects.get(display_name="ada")
    assert back.deleted_at is None
    assert "City" not in back.attributes
    assert names_in("team") == {"ada", "bob"}
    assert User.objects.count() == 2


def test_a_full_read_that_is_complete_finds_what_is_gone() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada"), user("bob")
    bench.cycle([ada, bob])
    bench.cycle([ada], mode="initial")
    assert User.objects.get(display_name="bob").deleted_at is not None
    assert User.objects.get(display_name="ada").deleted_at is None


def test_an_answer_that_broke_off_removes_nobody() -> None:
    bench = Bench.set_up()
    people = [user(f"user{number}") for number in range(5)]
    bench.cycle(people)
    before = everything()
    restarting.restart(bench.job, now())
    cycle = bench.begin()
    bench.answer([people[0]], mode="initial", complete=False)
    from provisioning.services import ingest

    assert ingest.ingest(cycle.pk) == []
    cycle.refresh_from_db()
    assert cycle.step == CycleStep.READING
    assert everything() == before


def test_too_many_deletions_hold_the_job_until_a_person_allows_them() -> None:
    bench = Bench.set_up(delete_threshold=3, notification_addresses=["admin@corp.example"])
    people = [user(f"user{number}") for number in range(6)]
    bench.cycle(people)
    before = everything()
    cycle = bench.cycle([tombstone(one) for one in people[:3]], [user("new")])
    assert cycle.step == CycleStep.HELD
    assert bench.job.state == JobState.HELD
    assert everything() == before
    assert Change.objects.filter(cycle=cycle, kind="delete").count() == 3
    assert ProvisioningLogEntry.objects.filter(cycle_id=cycle.pk, action="StagedDelete").count() == 3
    assert Notification.objects.get().recipients == ["admin@corp.example"]
    jobs.allow_deletes(bench.job, now())
    finish_stalled(bench)
    assert User.objects.filter(deleted_at__isnull=False).count() == 3
    assert User.objects.filter(display_name="new").exists()
    assert bench.job.state == JobState.ACTIVE


def finish_stalled(bench: Bench) -> None:
    """What the watchdog and the workers do."""
    from provisioning.services import watchdog
    from provisioning.tests.answering import run_to_end

    run_to_end(watchdog.stalled(now()))


def test_one_fewer_than_the_threshold_passes() -> None:
    bench = Bench.set_up(delete_threshold=3)
    people = [user(f"user{number}") for number in range(6)]
    bench.cycle(people)
    cycle = bench.cycle([tombstone(one) for one in people[:2]])
    assert cycle.step == CycleStep.DONE
    assert User.objects.filter(deleted_at__isnull=False).count() == 2


def test_disables_count_towards_the_threshold() -> None:
    bench = Bench.set_up(delete_threshold=2)
    people = [user(f"user{number}") for number in range(3)]
    bench.cycle(people)
    cycle = bench.cycle([changed(people[0], accountDisabled=True), tombstone(people[1])])
    assert cycle.step == CycleStep.HELD


def test_rejected_deletions_are_not_written_and_the_job_pauses() -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada = user("ada")
    bench.cycle([ada])
    bench.cycle([tombstone(ada)])
    jobs.reject_deletes(bench.job, now())
    assert bench.job.state == JobState.PAUSED
    assert User.objects.get().deleted_at is None
    with pytest.raises(jobs.JobRefused, match="not held"):
        jobs.allow_deletes(bench.job, now())


def test_a_deletion_rejected_and_mended_in_ad_is_forgotten() -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada = user("ada")
    bench.cycle([ada])
    bench.cycle([tombstone(ada)])
    jobs.reject_deletes(bench.job, now())
    restarting.restart(bench.job, now())
    cycle = bench.cycle([ada], mode="initial")
    assert cycle.step == CycleStep.DONE
    assert User.objects.get().deleted_at is None


def test_one_colliding_object_fails_alone_and_is_tried_again() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    first, second = user("ada", UUID(int=1)), user("ada2", UUID(int=2), userPrincipalName="ada@corp.example")
    cycle = bench.cycle([first, second, user("bob")])
    assert (cycle.step, cycle.count_failed, User.objects.count()) == (CycleStep.DONE, 1, 2)
    failure = ProvisioningLogEntry.objects.get(cycle_id=cycle.pk, status="Failure")
    assert failure.error_code == "AttributeValueMustBeUnique"
    bench.cycle([changed(second, userPrincipalName="ada2@corp.example")])
    assert User.objects.count() == 3


def test_a_hint_that_comes_twice_does_no_harm() -> None:
    from provisioning.services.hints import Hint, Step
    from provisioning.services.phases import Phase
    from provisioning.tests.answering import run_to_end

    bench = Bench.set_up()
    cycle = bench.cycle([user("ada")], [user("bob")])
    before, logged = everything(), ProvisioningLogEntry.objects.count()
    for step in Step:
        run_to_end([Hint(step, cycle.pk, Phase.OBJECTS, 0)])
    assert everything() == before
    assert ProvisioningLogEntry.objects.count() == logged


def test_a_job_has_one_cycle_at_a_time() -> None:
    from provisioning.services import starting

    bench = Bench.set_up()
    bench.begin()
    assert starting.start(bench.job.pk, now()) is None


def test_a_link_remembers_what_was_exported() -> None:
    bench = Bench.set_up()
    ada = user("ada", title="Clerk")
    bench.cycle([ada])
    link = Link.objects.get()
    assert link.exported == User.objects.get().attributes
    assert UUID(link.target_id) == User.objects.get().pk

"""Groups that a cycle creates get their members as a whole: planned in one row, written in few statements."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from directory.models import Group, Membership, User
from directory.tests import memberships
from provisioning.models import (
    Cycle,
    CycleStep,
    GroupFill,
    LinkMember,
    LinkMemberSet,
    MemberChange,
    ProvisioningLogEntry,
    SourceObject,
)
from provisioning.services import failing, housekeeping, jobs, planning, removing
from provisioning.services.clock import now
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import Phase
from provisioning.tests.answering import (
    GUIDS,
    PEOPLE,
    Bench,
    Resource,
    changed,
    group,
    guid_of,
    run_one,
    run_to_end,
    tombstone,
    user,
)
from provisioning.tests.test_on_demand import ask, found

pytestmark = pytest.mark.django_db(transaction=True)

UNRESOLVED = "UnableToResolveReferenceAttributeValue"


def members_of(name: str) -> list[str]:
    members = Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True)
    named = {one.pk: str(one.display_name) for one in User.objects.all()}
    named |= {one.pk: str(one.display_name) for one in Group.objects.all()}
    return sorted(named[member] for member in members)


def where_rows_are() -> list[tuple[int, str]]:
    """A row that is written again is in another place."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM provisioning_sourceobject ORDER BY id")
        return list(cursor.fetchall())


def before_memberships(bench: Bench, *resources: Resource) -> list[Hint]:
    """A cycle that has written everything but its memberships; the hints of these."""
    cycle = bench.begin()
    bench.answer(list(resources), mode=str(cycle.kind))
    hints = [Hint(Step.INGEST, cycle.pk)]
    while not (hints[0].step == Step.EXPORT and hints[0].phase == Phase.MEMBERSHIPS):
        hints = [following for hint in hints for following in run_one(hint)]
    return hints


def test_members_of_a_new_group_are_counted_logged_and_linked_each() -> None:
    bench = Bench.set_up()
    outer = group("outer", [*GUIDS, guid_of(inner := group("inner", GUIDS[:1])), uuid4()])
    cycle = bench.cycle([*PEOPLE, inner, outer])
    assert (cycle.count_planned, cycle.count_exported, cycle.count_failed) == (5 + 5, 5 + 5, 0)
    assert members_of("outer") == ["ada", "bob", "eve", "inner"]
    assert LinkMember.objects.count() == 5
    rows = ProvisioningLogEntry.objects.filter(
        cycle_id=cycle.pk, action="Update", source_name__startswith="CN=outer"
    )
    [told] = rows.get().modified
    assert (told["displayName"], told["count"], told["oldValue"]) == ("members added", 4, None)
    assert {name.split(",")[0] for name in told["newValue"]} == {"CN=ada", "CN=bob", "CN=eve", "CN=inner"}
    # Nothing is kept of them, and nothing is left to look at.
    assert not MemberChange.objects.exists()
    assert not GroupFill.objects.exists()
    assert not SourceObject.objects.filter(members_dirty=True).exists()


@pytest.mark.parametrize(("compared", "filled"), [(10, 2), (2, 10)])
def test_a_group_lies_in_one_batch_however_big_it_is(
    monkeypatch: pytest.MonkeyPatch, compared: int, filled: int
) -> None:
    monkeypatch.setattr(planning, "MEMBER_BATCH_SIZE", compared)
    monkeypatch.setattr(planning, "FILL_BATCH_SIZE", filled)
    bench = Bench.set_up()
    inner = group("first", GUIDS[:1])
    big = group("second", [*GUIDS, guid_of(inner)])
    hints = before_memberships(bench, *PEOPLE, inner, big, group("third", GUIDS[:2]))
    batches = [
        {
            SourceObject.objects.get(pk=one.group_id).dn.split(",")[0]
            for one in GroupFill.objects.filter(batch=hint.batch)
        }
        for hint in hints
    ]
    assert sorted(map(sorted, batches)) == [["CN=first", "CN=second"], ["CN=third"]]
    run_to_end(hints)
    assert [len(members_of(name)) for name in ("first", "second", "third")] == [1, 4, 2]


def test_a_member_that_could_not_be_created_is_waited_for() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    twin = user("twin", UUID(int=9), userPrincipalName="ada@corp.example")
    cycle = bench.cycle([*PEOPLE, twin, group("team", [*GUIDS, guid_of(twin)])])
    assert (cycle.step, cycle.count_exported, cycle.count_failed) == (CycleStep.DONE, 4 + 3, 2)
    waiting = MemberChange.objects.get()
    assert (waiting.status, waiting.error_code) == ("failed", UNRESOLVED)
    assert SourceObject.objects.get(members_dirty=True).dn.startswith("CN=team")
    bench.cycle([changed(twin, userPrincipalName="twin@corp.example")])
    assert members_of("team") == ["ada", "bob", "eve", "twin"]
    assert not SourceObject.objects.filter(members_dirty=True).exists()


def test_so_is_a_group_that_could_not_be_created() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    first, team = (
        changed(one, proxyAddresses=["SMTP:team@corp.example"])
        for one in (group("first", [], UUID(int=7)), group("team", GUIDS, UUID(int=8)))
    )
    cycle = bench.cycle([*PEOPLE, first, team])
    assert (cycle.count_exported, cycle.count_failed) == (4, 1 + 3)
    assert set(MemberChange.objects.values_list("status", "error_code")) == {("failed", UNRESOLVED)}
    assert not SourceObject.objects.filter(members_dirty=True).exists()
    bench.cycle([changed(team, proxyAddresses=None)])
    assert members_of("team") == ["ada", "bob", "eve"]


def test_a_cycle_that_breaks_off_leaves_it_to_the_next_one() -> None:
    bench = Bench.set_up()
    everyone = [*PEOPLE, group("team", GUIDS)]
    hints = before_memberships(bench, *everyone)
    failing.fail(Cycle.objects.get(), "RequestTimedOut", "", now())
    run_to_end(hints)
    assert (members_of("team"), GroupFill.objects.exists()) == ([], False)
    bench.cycle(everyone)
    assert members_of("team") == ["ada", "bob", "eve"]


def test_a_full_read_writes_the_rows_of_groups_once() -> None:
    bench = Bench.set_up()
    cycle = bench.begin()
    bench.answer([*PEOPLE, group("team", GUIDS)], mode="initial")
    hints = run_one(Hint(Step.INGEST, cycle.pk))
    read = where_rows_are()
    run_to_end(hints)
    assert members_of("team") == ["ada", "bob", "eve"]
    assert where_rows_are() == read


def test_what_is_in_the_directory_already_is_left_alone() -> None:
    bench = Bench.set_up()
    hints = before_memberships(bench, *PEOPLE, group("team", GUIDS))
    team, ada = Group.objects.get(), User.objects.get(display_name="ada")
    memberships.join(team.pk, ada.pk)
    source = {one.guid: one.pk for one in SourceObject.objects.all()}
    LinkMemberSet.objects.create(group_id=GroupFill.objects.get().group_id, members=[source[GUIDS[1]]])
    run_to_end(hints)
    assert members_of("team") == ["ada", "bob", "eve"]
    assert LinkMember.objects.count() == 3


def test_a_group_that_is_about_to_be_filled_is_not_provisioned_on_demand(
    api: APIClient, settings: Settings
) -> None:
    settings.ON_DEMAND_TIMEOUT_S = 1
    bench = Bench.set_up()
    team = group("team", GUIDS)
    hints = before_memberships(bench, *PEOPLE, team)
    status, body = ask(api, bench, found(team))
    assert (status, body["code"]) == (409, "CycleInTheWay")
    run_to_end(hints)
    assert ask(api, bench, found(team))[0] == 200


def test_a_member_created_on_demand_meanwhile_comes_with_the_next_cycle(api: APIClient) -> None:
    bench = Bench.set_up()
    new = user("new")
    hints = before_memberships(bench, *PEOPLE, group("team", [*GUIDS, guid_of(new)]))
    assert ask(api, bench, found(new))[1]["status"] == "Success"
    run_to_end(hints)
    bench.cycle()
    assert members_of("team") == ["ada", "bob", "eve", "new"]


@pytest.fixture
def held() -> Bench:
    """A cycle that waits for a person, with a new group."""
    bench = Bench.set_up(delete_threshold=1)
    bench.cycle(PEOPLE)
    cycle = bench.cycle([tombstone(PEOPLE[2]), group("team", GUIDS[:2])])
    assert cycle.step == CycleStep.HELD
    assert GroupFill.objects.filter(cycle=cycle).count() == 1
    return bench


def test_a_rejected_plan_fills_no_group(held: Bench) -> None:
    jobs.reject_deletes(held.job, now())
    assert not GroupFill.objects.exists()


def test_nothing_is_left_of_a_configuration_that_is_removed(held: Bench) -> None:
    removing.remove(held.configuration)
    assert not GroupFill.objects.exists()


def test_nor_of_an_old_cycle(held: Bench) -> None:
    long_ago = now() - timedelta(days=housekeeping.LOG_DAYS + 1)
    Cycle.objects.filter(step=CycleStep.HELD).update(step=CycleStep.FAILED, ended_at=long_ago)
    housekeeping.tidy(now())
    assert not GroupFill.objects.exists()

"""What users of comparable products ask for (docs/asks.md), each through whole cycles; numbered as on the page."""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from agents.bus import giving_back
from agents.models import Agent, AgentState, BusRequest, Domain, ResourceGrouping
from directory.models import Group, Membership, User
from directory.services import purging
from provisioning.models import Change, Configuration, Cycle, Link, SourceObject, Target
from provisioning.services import configurations, ingest, jobs, previewing, restarting, starting, watchdog
from provisioning.services.clock import now
from provisioning.services.hints import Hint, Step
from provisioning.tests.answering import (
    Bench,
    Resource,
    changed,
    group,
    guid_of,
    membership_change,
    run_to_end,
    tombstone,
    user,
)

pytestmark = pytest.mark.django_db(transaction=True)


def people(count: int) -> list[Resource]:
    return [user(f"user{number}") for number in range(count)]


def living() -> set[str]:
    return {str(one.display_name) for one in User.objects.filter(deleted_at__isnull=True)}


def narrowed(configuration: Configuration, department: str) -> dict[str, object]:
    """The schema document with users of one department only in scope."""
    document: dict[str, object] = Configuration.objects.get(pk=configuration.pk).schema
    operand = {"values": [department]}
    clause = {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": operand}
    for mapping in document["synchronizationRules"][0]["objectMappings"]:  # type: ignore[index]
        if mapping["sourceObjectName"] == "user":
            mapping["scope"] = {"groups": [{"name": "Staff", "clauses": [clause]}]}
    return document


def test_ask_01_half_an_answer_is_never_read_as_everybody_left() -> None:
    bench = Bench.set_up()
    told = people(5)
    bench.cycle(told)
    restarting.restart(bench.job, now())
    cycle = bench.begin()
    bench.answer(told[:1], mode="initial", complete=False)
    assert ingest.ingest(cycle.pk) == []
    assert not Change.objects.filter(cycle=cycle).exists()
    assert len(living()) == 5


def test_ask_02_a_run_that_would_remove_more_than_a_share_stops_and_asks() -> None:
    bench = Bench.set_up(user_delete_percent=20)
    told = people(10)
    bench.cycle(told)
    assert bench.cycle([tombstone(told[0])]).step == "done"
    held = bench.cycle([tombstone(one) for one in told[1:4]])
    assert (held.step, bench.job.state, len(living())) == ("held", "held", 9)
    jobs.reject_deletes(bench.job, now())
    assert len(living()) == 9


def test_ask_03_a_preview_is_a_true_diff_and_writes_nothing() -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada", department="Ops"), user("bob", department="Sales")])
    before = [list(model.objects.order_by("pk").values()) for model in (SourceObject, Link, User, Change)]
    document = narrowed(bench.configuration, "Ops")
    shown = previewing.of_document(bench.configuration, document, now(), 10)
    assert shown["counts"] == {"user": {"delete": 1}}
    assert [one["distinguishedName"].split(",")[0] for one in shown["changes"]] == ["CN=bob"]
    assert before == [
        list(model.objects.order_by("pk").values()) for model in (SourceObject, Link, User, Change)
    ]
    configurations.change_schema(bench.configuration, document, now())
    bench.cycle([user("ada", guid_of_name("ada"), department="Ops"), bob_again()], mode="initial")
    assert living() == {"ada"}


def guid_of_name(name: str) -> UUID:
    return UUID(str(SourceObject.objects.get(dn__startswith=f"CN={name},").guid))


def bob_again() -> Resource:
    return user("bob", guid_of_name("bob"), department="Sales")


def test_ask_04_deletion_goes_in_steps_and_the_same_person_comes_back() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    born = User.objects.get().pk
    bench.cycle([changed(ada, accountDisabled=True)])
    assert (User.objects.get().account_enabled, User.objects.get().deleted_at) == (False, None)
    bench.cycle([tombstone(ada)])
    assert User.objects.get().deleted_at is not None
    assert purging.purge(now() + timedelta(days=29)) == 0
    bench.cycle([ada])
    back = User.objects.get()
    assert (back.pk, back.deleted_at, back.account_enabled) == (born, None, True)
    bench.cycle([tombstone(ada)])
    assert purging.purge(now() + timedelta(days=31)) == 1


def test_ask_06_a_renamed_and_moved_user_stays_the_same_user() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    team = group("team", [guid_of(ada)])
    bench.cycle([ada, team])
    born = User.objects.get().pk
    moved = user("ada.married", guid_of(ada), distinguishedName="CN=Ada,OU=Elsewhere,DC=corp,DC=example")
    bench.cycle([moved])
    held = User.objects.get()
    assert (held.pk, held.user_principal_name) == (born, "ada.married@corp.example")
    assert Membership.objects.get().member_id == born


def test_ask_07_a_disabled_account_is_disabled_in_the_next_cycle() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    cycle = bench.cycle([changed(ada, accountDisabled=True)])
    assert User.objects.get().account_enabled is False
    assert Change.objects.get(cycle=cycle).kind == "disable"


def test_ask_09_the_reason_why_somebody_is_missing_is_told(api: APIClient) -> None:
    bench = Bench.set_up()
    configurations.change_schema(bench.configuration, narrowed(bench.configuration, "Ops"), now())
    bench.cycle([user("ada", department="Sales")], mode="initial")
    address = f"/api/v1/configurations/{bench.configuration.pk}/explain"
    told = api.get(address, {"object": "ada@corp.example"}).json()
    assert told["verdict"]["code"] == "FilteredOut"
    assert told["scope"]["clauses"][0]["actual"] == "Sales"


def test_ask_10_one_bad_object_neither_stops_nor_poisons_the_run() -> None:
    bench = Bench.set_up()
    bad = user("bad", pwdLastSet=["no", "number"])
    cycle = bench.cycle([*people(20), bad])
    assert (cycle.step, cycle.count_failed, len(living())) == ("done", 1, 20)
    assert bench.job.state == "active"
    assert bench.cycle([user("late")]).count_failed == 0


def test_ask_15_one_new_member_of_a_large_group_is_one_membership() -> None:
    bench = Bench.set_up()
    told = people(300)
    team = group("team", [guid_of(one) for one in told[:-1]])
    bench.cycle([*told, team])
    cycle = bench.cycle([membership_change(team, added=[guid_of(told[-1])])])
    assert (cycle.count_planned, cycle.count_exported, Membership.objects.count()) == (1, 1, 300)
    assert not Change.objects.filter(cycle=cycle).exists()
    cycle = bench.cycle([changed(told[0], department="Ops")])
    assert Change.objects.get(cycle=cycle).new == {"Department": "Ops"}


def test_ask_16_a_delta_whose_answer_is_lost_is_asked_for_again_from_the_same_watermark() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    known = bench.job.watermark
    lost = bench.begin()
    bench.answer([changed(ada, department="Ops")], mode="delta", complete=False)
    ingest.ingest(lost.pk)
    assert bench.job.watermark == known
    assert lost.request_id is not None
    BusRequest.objects.filter(pk=lost.request_id).update(lease_expires_at=timezone.now())
    assert giving_back.expire_leases(timezone.now()) == 1
    bench.answer([changed(ada, department="Ops")], mode="delta")
    run_to_end([Hint(Step.INGEST, lost.pk)])
    while hints := watchdog.stalled(now() + timedelta(hours=1)):
        run_to_end(hints)
    assert Cycle.objects.get(pk=lost.pk).step == "done"
    assert User.objects.get().department == "Ops"
    assert bench.job.watermark != known


def test_ask_21_the_same_person_from_two_sources_is_one_user_and_blocks_nobody() -> None:
    first = Bench.set_up()
    shared = {"mS-DS-ConsistencyGuid": base64.b64encode(uuid4().bytes_le).decode()}
    first.cycle([changed(user("ada"), **shared), user("eve")])
    jobs.pause(first.job, now())
    second = second_source()
    other = changed(user("ada"), **shared)
    cycle = second.cycle([other, user("twin", userPrincipalName="eve@corp.example"), user("new")])
    assert cycle.count_failed == 0
    assert sorted(living()) == ["ada", "eve", "new", "twin"]
    assert Link.objects.filter(target_id=str(User.objects.get(display_name="ada").pk)).count() == 2
    twin = User.objects.get(display_name="twin")
    assert twin.provisioning_errors is not None
    assert twin.user_principal_name != "eve@corp.example"


def second_source() -> Bench:
    domain = Domain.objects.create(fqdn="b.example", netbios="B", forest="b.example", sid="S-1-5-21-4-5-6")
    agent = Agent.objects.create(
        name="host2",
        state=AgentState.ACTIVE,
        certificate="",
        certificate_thumbprint=uuid4().hex,
        certificate_not_after=timezone.now() + timedelta(days=90),
    )
    ResourceGrouping.objects.create(agent=agent, domain=domain)
    configuration = configurations.create(name="B", domain=domain, target=Target.objects.get())
    bench = Bench(agent, configuration)
    jobs.start(bench.job, timezone.now())
    return bench


@pytest.mark.parametrize("name", ["Doe\\, John", "Ops (all) *", "Jörg Müller", "a\\+b\\=c", "日本 <x> & 'y'"])
def test_ask_22_odd_characters_in_names_travel_whole(name: str) -> None:
    bench = Bench.set_up()
    odd = user("odd", displayName=name, distinguishedName=f"CN={name},OU=Ü (1),DC=corp,DC=example")
    reference = {"value": odd["id"], "display": f"CN={name},OU=Ü (1),DC=corp,DC=example"}
    team = group(name, [guid_of(odd)])
    bench.cycle([odd, user("report", manager=reference), team])
    held = User.objects.get(display_name=name)
    assert held.attributes["OnPremisesDistinguishedName"] == f"CN={name},OU=Ü (1),DC=corp,DC=example"
    assert User.objects.get(display_name="report").manager_id == held.pk
    assert Membership.objects.get(group=Group.objects.get(display_name=name)).member_id == held.pk


def test_ask_28_a_cycle_is_started_at_once_when_somebody_asks() -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    assert len(starting.start_due(timezone.now())) == 0
    jobs.run_now(bench.job, timezone.now())
    assert len(starting.start_due(timezone.now())) == 1

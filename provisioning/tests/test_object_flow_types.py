"""flowTypes of an object mapping, and SkipOutOfScopeDeletions: what must not happen to the target does not."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from directory.models import Group, Membership, User
from provisioning.models import Configuration
from provisioning.services import configurations, previewing
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
from provisioning.tests.test_explain import verdict

pytestmark = pytest.mark.django_db(transaction=True)


def let_flow(bench: Bench, flows: str, kinds: tuple[str, ...] = ("user",), **scope: Any) -> None:
    """Set flowTypes, and optionally the scope, of the mappings of these source types."""
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    for mapping in configuration.schema["synchronizationRules"][0]["objectMappings"]:
        if mapping["sourceObjectName"] in kinds:
            mapping.update(flowTypes=flows, **scope)
    configurations.change_schema(configuration, configuration.schema, now())


def only_department(name: str) -> dict[str, Any]:
    return only("department", name)


def only(attribute: str, value: str) -> dict[str, Any]:
    operand = {"values": [value]}
    clause = {"sourceOperandName": attribute, "operatorName": "EQUALS", "targetOperand": operand}
    return {"scope": {"groups": [{"name": "Staff", "clauses": [clause]}]}}


def names() -> set[str]:
    return {str(one.display_name) for one in User.objects.filter(deleted_at__isnull=True)}


def test_without_add_nothing_is_created_or_restored_and_with_it_again_everything_is() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada"), user("bob")
    bench.cycle([bob])
    bench.cycle([tombstone(bob)])
    let_flow(bench, "Update, Delete")
    cycle = bench.cycle([ada, bob], mode="initial")
    assert (names(), cycle.count_planned) == (set(), 0)
    let_flow(bench, "Add, Update, Delete")
    bench.cycle([ada, bob], mode="initial")
    assert names() == {"ada", "bob"}


def test_without_update_an_object_stays_as_it_was_created_with_its_references_and_members() -> None:
    bench = Bench.set_up()
    let_flow(bench, "Add, Delete", ("user", "group"))
    boss = user("boss")
    reference = {"value": boss["id"], "display": "CN=boss"}
    ada = user("ada", department="Ops", manager=reference)
    team = group("team", [guid_of(ada)])
    bench.cycle([boss, ada, team], mode="initial")
    held = User.objects.get(display_name="ada")
    assert held.manager_id == User.objects.get(display_name="boss").pk
    assert Membership.objects.count() == 1
    cycle = bench.cycle([changed(ada, department="R&D", manager=None)])
    cycle2 = bench.cycle([membership_change(team, added=[guid_of(boss)], removed=[guid_of(ada)])])
    assert (cycle.count_planned, cycle2.count_planned) == (0, 0)
    held.refresh_from_db()
    assert (held.department, held.manager_id is not None) == ("Ops", True)
    assert [one.member_id for one in Membership.objects.all()] == [held.pk]
    let_flow(bench, "Add, Update, Delete", ("user", "group"))
    whole = group("team", [guid_of(boss)], guid_of(team))
    bench.cycle([boss, changed(ada, department="R&D", manager=None), whole], mode="initial")
    held.refresh_from_db()
    assert held.department == "R&D"
    assert held.manager_id is None


def test_without_delete_nothing_is_deleted_and_with_it_again_what_is_gone_goes() -> None:
    bench = Bench.set_up()
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    bench.cycle([ada, bob, eve])
    let_flow(bench, "Add, Update")
    bench.cycle([ada, eve], mode="initial")
    bench.cycle([tombstone(ada), tombstone(eve, "outOfScope")])
    assert names() == {"ada", "bob", "eve"}
    let_flow(bench, "Add, Update, Delete")
    bench.cycle([], mode="initial")
    assert names() == set()


def test_skip_out_of_scope_deletions_keeps_what_leaves_the_scope_and_its_memberships() -> None:
    bench = Bench.set_up(skip_out_of_scope_deletions=True)
    ada, bob, eve = (user(name, department="Ops") for name in ("ada", "bob", "eve"))
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, eve, team])
    let_flow(bench, "Add, Update, Delete", **only_department("Ops"))
    left = changed(ada, department="Sales")
    bench.cycle([left, bob, eve, team], mode="initial")
    bench.cycle([membership_change(team, added=[guid_of(eve)])])
    bench.cycle([tombstone(bob, "outOfScope")])
    assert names() == {"ada", "bob", "eve"}
    assert User.objects.get(display_name="ada").department == "Ops"
    assert Membership.objects.count() == 3
    bench.cycle([tombstone(eve)])
    assert names() == {"ada", "bob"}


def test_explain_tells_what_keeps_an_object_from_flowing(api: APIClient) -> None:
    bench = Bench.set_up(skip_out_of_scope_deletions=True)
    ada, bob, eve = user("ada", department="Ops"), user("bob"), user("eve")
    bench.cycle([ada, bob])
    bench.cycle([tombstone(ada, "outOfScope")])
    assert verdict(api, bench, ada) == "KeptOutOfScope"
    let_flow(bench, "None")
    bench.cycle([changed(bob, title="Head"), eve], mode="initial")
    assert [verdict(api, bench, one) for one in (bob, eve)] == ["NotUpdated", "NotAdded"]
    bench.cycle([tombstone(bob)])
    assert verdict(api, bench, bob) == "KeptWithoutDelete"
    let_flow(bench, "Add, Update, Delete")
    bench.cycle([eve], mode="initial")
    assert [verdict(api, bench, one) for one in (bob, eve)] == ["DeletedInActiveDirectory", "Synchronized"]
    assert names() == {"ada", "eve"}


def test_once_the_switch_is_off_a_restart_removes_what_had_left() -> None:
    bench = Bench.set_up(skip_out_of_scope_deletions=True)
    ada, team = user("ada"), group("team", [])
    bench.cycle([ada, team])
    bench.cycle([tombstone(ada, "outOfScope")])
    bench.cycle([team], mode="initial")
    assert names() == {"ada"}
    Configuration.objects.update(skip_out_of_scope_deletions=False)
    bench.cycle([])
    assert names() == {"ada"}
    let_flow(bench, "Add, Update, Delete")
    bench.cycle([team], mode="initial")
    assert names() == set()
    assert Group.objects.get().deleted_at is None


def test_a_preview_knows_both_switches() -> None:
    bench = Bench.set_up()
    ada = user("ada", department="Sales")
    bench.cycle([ada])
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    document = configuration.schema
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        if mapping["sourceObjectName"] == "user":
            mapping.update(only_department("Ops"))
    assert previewing.of_document(configuration, document, now(), 10)["counts"] == {"user": {"delete": 1}}
    configuration.skip_out_of_scope_deletions = True
    assert previewing.of_document(configuration, document, now(), 10)["counts"] == {}


def test_the_switch_is_set_by_rest(api: APIClient) -> None:
    bench = Bench.set_up()
    address = f"/api/v1/configurations/{bench.configuration.pk}"
    assert api.get(address).json()["skip_out_of_scope_deletions"] is False
    assert api.patch(address, {"skip_out_of_scope_deletions": True}, format="json").status_code == 200
    assert Configuration.objects.get(pk=bench.configuration.pk).skip_out_of_scope_deletions


def test_a_group_that_an_evaluation_takes_away_and_brings_back_has_its_members() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada, group("team", [guid_of(ada)])])
    for name, count in (("other", 0), ("team", 1)):
        let_flow(bench, "Add, Update, Delete", ("group",), **only("displayName", name))
        bench.evaluate()
        assert Membership.objects.count() == count

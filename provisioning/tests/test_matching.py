"""Hard and soft match, collisions and parked values in the built-in directory, through whole cycles."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from directory.models import Contact, Group, User
from directory.services import parking
from provisioning.models import Change, Escrow, Link, ProvisioningLogEntry, Target
from provisioning.tests.answering import Bench, Resource, changed, group, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def in_cloud(name: str, anchor: str | None = None, **attributes: Any) -> User:
    """A user that was made in the cloud."""
    moment = timezone.now()
    document = {"UserPrincipalName": f"{name}@corp.example", "DisplayName": name, "CloudOnly": "x"}
    return User.objects.create(
        attributes={**document, **attributes}, immutable_id=anchor, created_at=moment, updated_at=moment
    )


def anchor_of(resource: Resource) -> str:
    return base64.b64encode(UUID(resource["id"]).bytes_le).decode()


def switch(**settings: Any) -> None:
    Target.objects.update(settings=settings)


def failures() -> dict[str, str]:
    """What failed, by the code, with the detail."""
    rows = Change.objects.filter(status="failed").order_by("id")
    return {one.error_code: one.error_detail for one in rows}


def test_the_anchor_is_the_consistency_guid_where_there_is_one_else_the_object_guid() -> None:
    bench = Bench.set_up()
    guid = UUID("12345678-1234-5678-9abc-def012345678")
    other = base64.b64encode(uuid4().bytes_le).decode()
    bench.cycle(
        [
            user("ada", guid),
            changed(user("bob"), **{"mS-DS-ConsistencyGuid": other}),
            group("team", [], uuid4()),
        ]
    )
    assert User.objects.get(display_name="ada").immutable_id == "eFY0EjQSeFaavN7wEjRWeA=="
    assert User.objects.get(display_name="bob").immutable_id == other
    held = Group.objects.get().immutable_id
    assert held is not None
    assert len(base64.b64decode(held)) == 16


def test_a_hard_match_takes_a_cloud_object_over_whatever_its_name() -> None:
    bench = Bench.set_up()
    ada = user("ada", department="Ops")
    made = in_cloud("somebody", anchor_of(ada))
    bench.cycle([ada])
    held = User.objects.get()
    assert (held.pk, held.is_synchronized, held.department) == (made.pk, True, "Ops")
    assert held.user_principal_name == "ada@corp.example"
    assert held.attributes["CloudOnly"] == "x"
    assert Link.objects.get().target_id == str(made.pk)


def test_a_blocked_hard_match_is_an_error_of_the_object_alone() -> None:
    bench = Bench.set_up()
    switch(blockCloudObjectTakeoverThroughHardMatch=True)
    ada, bob = user("ada"), user("bob")
    in_cloud("somebody", anchor_of(ada))
    cycle = bench.cycle([ada, bob])
    assert (cycle.count_exported, cycle.count_failed, cycle.step) == (1, 1, "done")
    assert list(failures()) == ["InvalidHardMatch"]
    assert User.objects.get(display_name="somebody").is_synchronized is False
    bench.cycle([tombstone(bob)])
    bench.cycle([bob])
    assert User.objects.get(display_name="bob").deleted_at is None


@pytest.mark.parametrize("blocked", [False, True])
def test_a_soft_match_by_principal_name_in_any_case(blocked: bool) -> None:
    bench = Bench.set_up()
    switch(blockSoftMatch=blocked, duplicateAttributeResiliency=False)
    made = in_cloud("ADA")
    ada = user("ada")
    bench.cycle([ada])
    held = User.objects.get()
    assert held.pk == made.pk
    assert held.immutable_id == (None if blocked else anchor_of(ada))
    assert list(failures()) == (["AttributeValueMustBeUnique"] if blocked else [])
    if not blocked:
        cycle = bench.cycle([changed(ada, department="Ops")])
        assert (cycle.count_exported, User.objects.get().department) == (1, "Ops")


def test_a_soft_match_by_primary_address_of_users_and_groups_and_not_by_other_addresses() -> None:
    bench = Bench.set_up()
    made = in_cloud("x", ProxyAddresses=["smtp:old@corp.example", "SMTP:Ada@corp.example"])
    secondary = in_cloud("y", ProxyAddresses=["smtp:bob@corp.example"])
    moment = timezone.now()
    team = Group.objects.create(
        attributes={"DisplayName": "t", "ProxyAddresses": ["SMTP:team@corp.example"]},
        created_at=moment,
        updated_at=moment,
    )
    red = group("red", [])
    bench.cycle(
        [
            user("ada", proxyAddresses=["SMTP:ada@CORP.example", "smtp:more@corp.example"]),
            user("bob", proxyAddresses=["SMTP:bob@corp.example"]),
            changed(red, proxyAddresses=["SMTP:TEAM@corp.example"]),
        ]
    )
    assert failures() == {}
    assert User.objects.get(display_name="ada").pk == made.pk
    assert User.objects.get(display_name="bob").pk != secondary.pk
    assert Group.objects.get(display_name="red").pk == team.pk


def test_a_candidate_with_another_anchor_is_a_collision_that_names_the_attribute() -> None:
    bench = Bench.set_up()
    switch(duplicateAttributeResiliency=False)
    in_cloud("ada", "another anchor")
    in_cloud("x", "yet another", ProxyAddresses=["SMTP:bob@corp.example"])
    bench.cycle([user("ada"), user("bob", proxyAddresses=["SMTP:bob@corp.example"]), user("eve")])
    details = sorted(Change.objects.filter(status="failed").values_list("error_code", "error_detail"))
    assert [code for code, _ in details] == ["AttributeValueMustBeUnique"] * 2
    assert details[0][1].startswith("ProxyAddresses:")
    assert details[1][1].startswith("UserPrincipalName:")
    assert Link.objects.count() == 1


def test_the_address_of_another_type_is_a_mismatch_even_where_duplicates_are_parked() -> None:
    bench = Bench.set_up()
    team = group("team", [])
    bench.cycle([changed(team, proxyAddresses=["SMTP:team@corp.example"]), user("eve")])
    bench.cycle([user("ada", proxyAddresses=["SMTP:Team@corp.example"]), user("bob")])
    assert list(failures()) == ["ObjectTypeMismatch"]
    assert set(User.objects.values_list("display_name", flat=True)) == {"eve", "bob"}


def test_an_update_to_the_address_of_another_type_is_a_mismatch() -> None:
    bench = Bench.set_up()
    team, ada = group("team", []), user("ada")
    bench.cycle([changed(team, proxyAddresses=["SMTP:team@corp.example"]), ada])
    bench.cycle([changed(ada, proxyAddresses=["SMTP:team@corp.example"])])
    assert list(failures()) == ["ObjectTypeMismatch"]


@pytest.mark.parametrize("parks", [False, True])
def test_a_synchronized_object_never_merges_into_a_cloud_object(parks: bool) -> None:
    bench = Bench.set_up()
    switch(duplicateAttributeResiliency=parks)
    ada = user("ada")
    bench.cycle([ada])
    made = in_cloud("new")
    bench.cycle([changed(ada, userPrincipalName="new@corp.example", department="Ops")])
    assert User.objects.count() == 2
    held = User.objects.exclude(pk=made.pk).get()
    assert held.user_principal_name == "ada@corp.example"
    assert held.department == ("Ops" if parks else None)
    assert list(failures()) == ([] if parks else ["AttributeValueMustBeUnique"])
    assert User.objects.get(pk=made.pk).immutable_id is None


def test_a_duplicate_is_parked_told_once_and_given_back_when_it_is_free() -> None:
    bench = Bench.set_up()
    switch(initialDomain="tenant.example")
    addresses = ["SMTP:shared@corp.example", "smtp:second@corp.example"]
    ada = user("ada", proxyAddresses=addresses)
    twin = user("twin", userPrincipalName="Ada@corp.example", proxyAddresses=addresses)
    bench.cycle([ada])
    bench.cycle([twin, user("eve")])
    held = User.objects.get(display_name="twin")
    name = str(held.user_principal_name)
    assert name.startswith("Ada+")
    assert name.endswith("@tenant.example")
    assert len(name) == len("Ada+1234@tenant.example")
    assert held.attributes["ProxyAddresses"] == ["smtp:second@corp.example"]
    told = {one["propertyCausingError"]: one["value"] for one in held.provisioning_errors or ()}
    assert told == {"UserPrincipalName": "Ada@corp.example", "ProxyAddresses": "SMTP:shared@corp.example"}
    assert not Escrow.objects.exists()
    entry = ProvisioningLogEntry.objects.get(source_guid=twin["id"])
    assert (entry.status, entry.error_code) == ("Success", "")
    assert "ProxyAddresses" in entry.detail
    assert bench.cycle([]).count_planned == 0
    assert parking.give_back(timezone.now()) == 0
    bench.cycle([tombstone(ada)])
    assert parking.give_back(timezone.now()) == 1
    held.refresh_from_db()
    assert (held.user_principal_name, held.provisioning_errors) == ("Ada@corp.example", None)
    assert sorted(held.attributes["ProxyAddresses"]) == sorted(addresses)
    assert bench.cycle([twin], mode="initial").count_failed == 0


def test_of_two_that_wait_for_one_value_one_gets_it() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    bench.cycle([user(name, userPrincipalName="ada@corp.example") for name in ("one", "two")])
    bench.cycle([tombstone(ada)])
    assert parking.give_back(timezone.now()) == 1
    waiting = User.objects.filter(provisioning_errors__isnull=False)
    assert waiting.count() == 1
    assert User.objects.filter(user_principal_name="ada@corp.example", deleted_at=None).count() == 1


def test_a_value_that_changes_in_ad_is_no_longer_parked() -> None:
    bench = Bench.set_up()
    twin = user("twin", userPrincipalName="ada@corp.example")
    bench.cycle([user("ada")])
    bench.cycle([twin])
    bench.cycle([changed(twin, userPrincipalName="twin@corp.example")])
    held = User.objects.get(display_name="twin")
    assert (held.user_principal_name, held.provisioning_errors) == ("twin@corp.example", None)


def test_one_that_comes_back_to_a_taken_name_gets_a_placeholder() -> None:
    bench = Bench.set_up()
    ada, other = user("ada"), user("other", userPrincipalName="ada@corp.example")
    bench.cycle([ada])
    bench.cycle([tombstone(ada)])
    bench.cycle([other])
    bench.cycle([ada])
    held = User.objects.get(display_name="ada")
    assert held.deleted_at is None
    assert str(held.user_principal_name).startswith("ada+")
    assert User.objects.get(display_name="other").user_principal_name == "ada@corp.example"


def test_two_objects_with_one_anchor_in_a_batch_do_not_share_an_object() -> None:
    bench = Bench.set_up()
    anchor = {"mS-DS-ConsistencyGuid": base64.b64encode(uuid4().bytes_le).decode()}
    cycle = bench.cycle([changed(user("ada"), **anchor), changed(user("bob"), **anchor)])
    assert (cycle.count_exported, cycle.count_failed) == (1, 1)
    assert failures()["AttributeValueMustBeUnique"].startswith("SourceAnchorBinary:")
    assert User.objects.count() == 1


def test_one_anchor_in_two_cycles_is_an_error_of_the_later_object_alone() -> None:
    bench = Bench.set_up()
    anchor = {"mS-DS-ConsistencyGuid": base64.b64encode(uuid4().bytes_le).decode()}
    bench.cycle([changed(user("ada"), **anchor)])
    cycle = bench.cycle([changed(user("bob"), **anchor), user("eve")])
    assert (cycle.step, cycle.count_exported, cycle.count_failed) == ("done", 1, 1)
    assert failures()["AttributeValueMustBeUnique"].startswith("SourceAnchorBinary:")
    assert Link.objects.count() == 2


def test_one_who_was_deleted_and_made_again_with_the_anchor_gets_the_old_object() -> None:
    bench = Bench.set_up()
    anchor = {"mS-DS-ConsistencyGuid": base64.b64encode(uuid4().bytes_le).decode()}
    old, new = changed(user("ada"), **anchor), changed(user("ada"), **anchor)
    bench.cycle([old])
    born = User.objects.get().pk
    bench.cycle([tombstone(old)])
    cycle = bench.cycle([new])
    assert (cycle.count_exported, cycle.count_failed) == (1, 0)
    assert (User.objects.get().pk, User.objects.get().deleted_at) == (born, None)
    assert Link.objects.get().source.guid == UUID(new["id"])


def test_a_contact_is_matched_by_its_address() -> None:
    bench = Bench.set_up()
    moment = timezone.now()
    made = Contact.objects.create(
        attributes={"DisplayName": "c", "ProxyAddresses": ["SMTP:eve@out.example"]},
        created_at=moment,
        updated_at=moment,
    )
    resource = user("eve", proxyAddresses=["SMTP:eve@out.example"])
    resource["meta"]["resourceType"] = "contact"
    bench.cycle([resource])
    assert Contact.objects.get().pk == made.pk


def test_the_comparisons_have_indexes() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for condition in ("lower(user_principal_name) = lower('A@x')", "primary_smtp = lower('A@x')"):
            cursor.execute(f"EXPLAIN SELECT id FROM directory_user WHERE deleted_at IS NULL AND {condition}")
            assert "Index" in "\n".join(row[0] for row in cursor.fetchall())


def test_the_switches_are_read_and_set_by_rest(api: APIClient) -> None:
    target = Target.objects.create(name="Cloud directory")
    address = f"/api/v1/targets/{target.pk}"
    assert api.get(address).json()["matching"] == {
        "blocks_hard_match": False,
        "blocks_soft_match": False,
        "parks_duplicates": True,
        "initial_domain": "cloud.invalid",
    }
    answer = api.patch(address, {"matching": {"blocks_soft_match": True}}, format="json")
    assert answer.json()["matching"]["blocks_soft_match"] is True
    target.refresh_from_db()
    assert target.settings == {"blockSoftMatch": True}
    assert api.patch(address, {"matching": {"initial_domain": "no domain"}}, format="json").status_code == 400
    assert api.patch(address, {"kind": "unknown"}, format="json").status_code == 400

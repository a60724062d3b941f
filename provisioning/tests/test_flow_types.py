"""The flow types of attribute mappings, through whole cycles."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from directory.models import Membership, User
from provisioning.models import Configuration
from provisioning.services import configurations, previewing
from provisioning.services.clock import now
from provisioning.tests.answering import (
    Bench,
    Resource,
    changed,
    group,
    guid_of,
    membership_change,
    tombstone,
    user,
)
from provisioning_agent.wire.pages import AD_SCHEMA

pytestmark = pytest.mark.django_db(transaction=True)


def set_up(kind: str = "user", **flows: dict[str, str]) -> Bench:
    """A configuration of whose users' (or other objects') target attributes some flow otherwise."""
    bench = Bench.set_up()
    let_flow(bench, kind, **flows)
    return bench


def let_flow(bench: Bench, kind: str = "user", **flows: dict[str, str]) -> None:
    """Change how target attributes flow."""
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    document = deepcopy(configuration.schema)
    mappings = document["synchronizationRules"][0]["objectMappings"]
    chosen = next(one for one in mappings if one["sourceObjectName"] == kind)
    for row in chosen["attributeMappings"]:
        row.update(flows.get(row["targetAttributeName"], {}))
    configurations.change_schema(configuration, document, now())


def held() -> dict[str, Any]:
    """The attributes of the one user."""
    found: dict[str, Any] = User.objects.get().attributes
    return found


def test_attributes_that_are_filled_once_or_merged_keep_what_they_hold() -> None:
    bench = set_up(
        Department={"flowType": "AttributeAddOnly"}, ProxyAddresses={"flowType": "MultiValueAddOnly"}
    )
    ada = user("ada", proxyAddresses=["smtp:a@corp.example", "smtp:b@corp.example"])
    bench.cycle([ada])
    assert "Department" not in held()

    bench.cycle([changed(ada, department="Sales")])
    assert held()["Department"] == "Sales"

    cycle = bench.cycle([changed(ada, department="R&D", proxyAddresses=["smtp:c@corp.example"], title="Dr")])
    assert cycle.count_failed == 0
    assert (held()["Department"], held()["JobTitle"]) == ("Sales", "Dr")
    expected = {"smtp:a@corp.example", "smtp:b@corp.example", "smtp:c@corp.example"}
    assert set(held()["ProxyAddresses"]) == expected

    last = changed(ada, department=None, proxyAddresses=None)
    bench.cycle([last])
    assert held()["Department"] == "Sales"
    assert set(held()["ProxyAddresses"]) == expected
    assert bench.cycle([last], mode="initial").count_planned == 0


def test_what_flows_always_repairs_the_target_whenever_the_object_changes() -> None:
    bench = set_up(Department={"flowBehavior": "FlowAlways"})
    ada = user("ada", department="Sales")
    bench.cycle([ada])
    User.objects.update(attributes={**held(), "Department": "by hand"})
    assert bench.cycle([ada]).count_planned == 0
    bench.cycle([changed(ada, logonCount=7)])
    assert held()["Department"] == "Sales"
    assert bench.cycle([changed(ada, logonCount=7)], mode="initial").count_planned == 0


def below(resource: Resource, manager: Resource | None) -> Resource:
    """The same person with another manager, or without."""
    return changed(resource, manager={"value": manager["id"], "display": "CN=x"} if manager else None)


def manager_of(name: str) -> str | None:
    manager = User.objects.get(display_name=name).manager_id
    return str(User.objects.get(pk=manager).display_name) if manager else None


def test_a_manager_at_creation_only_is_the_one_of_the_creation_however_late_he_comes() -> None:
    bench = set_up(Manager={"flowType": "ObjectAddOnly"})
    boss, chief, ada, bob, eve = (user(name) for name in ("boss", "chief", "ada", "bob", "eve"))
    bench.cycle([boss, below(ada, boss), below(bob, chief), eve])
    assert (manager_of("ada"), manager_of("bob"), manager_of("eve")) == ("boss", None, None)
    assert "Manager" not in User.objects.get(display_name="ada").attributes
    bench.cycle([chief])
    assert manager_of("bob") == "chief"
    cycle = bench.cycle([below(ada, chief), below(bob, None), below(eve, boss)])
    assert (manager_of("ada"), manager_of("bob"), manager_of("eve")) == ("boss", "chief", None)
    assert cycle.count_planned == 0
    assert preview_of(bench) == {}
    let_flow(bench, Manager={"flowType": "Always"})
    bench.evaluate()
    assert (manager_of("ada"), manager_of("bob"), manager_of("eve")) == ("chief", None, "boss")


@pytest.mark.parametrize("flow", ["AttributeAddOnly", "ValueAddOnly"])
def test_a_manager_who_is_filled_in_stays(flow: str) -> None:
    bench = set_up(Manager={"flowType": flow})
    boss, chief, ada = user("boss"), user("chief"), user("ada")
    bench.cycle([boss, chief, ada])
    bench.cycle([below(ada, boss)])
    assert manager_of("ada") == "boss"
    bench.cycle([below(ada, chief)])
    bench.cycle([below(ada, None)])
    assert manager_of("ada") == "boss"
    assert preview_of(bench) == {}
    bench.cycle([below(ada, chief)])
    bench.cycle([tombstone(boss)])
    bench.cycle([])
    assert manager_of("ada") == "chief"


def preview_of(bench: Bench) -> dict[str, Any]:
    """What the stored document would do now."""
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    counts: dict[str, Any] = previewing.of_document(configuration, configuration.schema, now(), 0)["counts"]
    return counts


def members() -> set[str]:
    return {str(User.objects.get(pk=one.member_id).display_name) for one in Membership.objects.all()}


@pytest.mark.parametrize(
    ("flow", "later"),
    [
        ("Always", {"bob", "eve"}),
        ("MultiValueAddOnly", {"ada", "bob", "eve"}),
        ("ValueAddOnly", {"ada", "bob", "eve"}),
        ("AttributeAddOnly", {"ada", "bob"}),
        ("ObjectAddOnly", {"ada", "bob"}),
    ],
)
def test_memberships_flow_as_the_mapping_of_member_says(flow: str, later: set[str]) -> None:
    bench = set_up("group", Members={"flowType": flow})
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    team, empty = group("team", [guid_of(ada), guid_of(bob)]), group("empty", [])
    bench.cycle([ada, bob, eve, team, empty])
    bench.cycle([membership_change(team, added=[guid_of(eve)], removed=[guid_of(ada)])])
    assert members() == later
    whole = group("team", [guid_of(bob), guid_of(eve)], guid_of(team))
    bench.cycle([ada, bob, eve, whole, empty], mode="initial")
    assert members() == later
    bench.cycle([membership_change(empty, added=[guid_of(ada)])])
    assert Membership.objects.filter(group__attributes__DisplayName="empty").count() == (
        flow != "ObjectAddOnly"
    )
    if flow != "Always":
        let_flow(bench, "group", Members={"flowType": "Always"})
        bench.evaluate()
    assert members() == {"ada", "bob", "eve"}
    assert Membership.objects.count() == 3


@pytest.mark.parametrize("by", ["hard match", "soft match"])
def test_an_object_that_is_taken_over_keeps_what_the_mapping_leaves_it(by: str) -> None:
    bench = set_up(
        Department={"flowType": "AttributeAddOnly"},
        City={"flowType": "AttributeAddOnly"},
        JobTitle={"flowType": "ObjectAddOnly"},
        ProxyAddresses={"flowType": "MultiValueAddOnly"},
        Manager={"flowType": "AttributeAddOnly"},
    )
    boss = user("boss")
    bench.cycle([boss])
    chief = User.objects.create(attributes={"DisplayName": "chief"}, created_at=now(), updated_at=now())
    ada = below(
        user(
            "ada",
            department="Sales",
            l="Bern",
            title="Dr",
            company="Corp",
            proxyAddresses=["smtp:a@corp.example"],
        ),
        boss,
    )
    there = {"Department": "Cloud", "City": "", "JobTitle": "Head", "ProxyAddresses": ["smtp:c@corp.example"]}
    User.objects.create(
        attributes={"DisplayName": "Ada", "UserPrincipalName": "ada@corp.example", **there},
        immutable_id=anchor_of(ada) if by == "hard match" else None,
        manager_id=chief.pk,
        created_at=now(),
        updated_at=now(),
    )
    cycle = bench.cycle([ada])
    assert cycle.count_failed == 0
    found = User.objects.get(display_name="ada")
    kept = {name: found.attributes.get(name) for name in ("Department", "City", "JobTitle", "Company")}
    assert kept == {"Department": "Cloud", "City": "Bern", "JobTitle": "Head", "Company": "Corp"}
    both = ["smtp:c@corp.example", "smtp:a@corp.example"]
    assert (found.attributes["ProxyAddresses"], manager_of("ada")) == (both, "chief")
    bench.cycle([changed(ada, department="R&D", proxyAddresses=["smtp:b@corp.example"])])
    found.refresh_from_db()
    assert found.attributes["Department"] == "Cloud"
    assert found.attributes["ProxyAddresses"] == [*both, "smtp:b@corp.example"]
    assert preview_of(bench) == {}


def anchor_of(resource: Resource) -> str:
    return str(resource[AD_SCHEMA]["objectGUID"])

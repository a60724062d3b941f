"""The initial read against a real domain controller."""

from __future__ import annotations

import base64
import uuid

import pytest

from lab import changes
from lab.agent.playground import Playground
from lab.agent.reading import ask, question
from lab.population import Company
from lab.samba import SambaForest
from provisioning_agent.ldap.connection import DirectoryLogin
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.names import rdns
from provisioning_agent.wire.requests import ObjectTypeRequest

pytestmark = pytest.mark.forest


def test_the_whole_domain_is_read(
    login: DirectoryLogin, forest: SambaForest, forest_company: Company
) -> None:
    answer = ask(login, question(forest.dns_name))
    assert answer.mode == "initial"
    names = {rdns(found["distinguishedName"]) for found in answer.objects().values()}
    assert {rdns(dn) for dn in (*forest_company.user_dns, *forest_company.group_dns)} <= names
    assert answer.counts["contact"] == 8
    assert answer.counts == {
        kind: sum(found["meta"]["resourceType"] == kind for found in answer.resources)
        for kind in ("user", "group", "contact")
    }


def test_critical_system_objects_and_computers_stay_out(login: DirectoryLogin, forest: SambaForest) -> None:
    found = ask(login, question(forest.dns_name)).objects().values()
    names = {item.get("sAMAccountName") for item in found}
    assert not names & {"Administrator", "krbtgt", "Domain Admins", "DC1$"}


def test_values_arrive_in_the_type_their_syntax_says(ground: Playground) -> None:
    boss = changes.add_user(ground.admin, ground.dn, "Boss", "boss")
    dn = changes.add_user(
        ground.admin,
        ground.dn,
        'Zoë "Z", Ånderson+#1',
        "zoe",
        {"title": "Größe\tund 日本", "proxyAddresses": ["SMTP:zoe@x.test", "smtp:z@x.test"], "manager": boss},
    )
    answer = ground.read()
    guid = ground.guid_of(dn)
    found = answer.objects()[guid]
    assert rdns(found["distinguishedName"]) == rdns(dn)
    assert found["title"] == "Größe\tund 日本"
    assert sorted(found["proxyAddresses"]) == ["SMTP:zoe@x.test", "smtp:z@x.test"]
    assert found["manager"] == {"value": ground.guid_of(boss), "display": boss}
    assert uuid.UUID(bytes_le=base64.b64decode(found["objectGUID"])) == uuid.UUID(guid)
    assert base64.b64decode(found["objectSid"])[0] == 1
    assert type(found["userAccountControl"]) is int
    assert type(found["uSNChanged"]) is int
    assert found["accountDisabled"] is False
    assert found["whenCreated"].endswith("Z")
    assert "mail" not in found


def test_a_disabled_account_says_so(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Off", "off")
    changes.disable(ground.admin, dn)
    assert ground.read().objects()[ground.guid_of(dn)]["accountDisabled"] is True


def test_only_the_containers_asked_for_are_read_and_each_once(ground: Playground) -> None:
    inner = changes.add_unit(ground.admin, ground.dn, "Inner, with comma")
    other = changes.add_unit(ground.admin, ground.dn, "Other")
    wanted = changes.add_user(ground.admin, inner, "In", "in")
    changes.add_user(ground.admin, other, "Elsewhere", "elsewhere")
    nested = changes.add_unit(ground.admin, inner, "Nested")
    deep = changes.add_user(ground.admin, nested, "Deep", "deep")
    answer = ground.read([ground.guid_of(nested), ground.guid_of(inner)])
    assert sorted(found["id"] for found in answer.resources) == sorted(map(ground.guid_of, (wanted, deep)))


def test_a_container_that_is_gone_is_a_failure_and_not_an_empty_domain(ground: Playground) -> None:
    with pytest.raises(DirectoryError) as caught:
        ground.read([str(uuid.uuid4())])
    assert caught.value.code == "ScopeContainerMissing"
    assert not caught.value.retry


def test_pages_hold_no_more_than_was_asked_for(ground: Playground) -> None:
    for number in range(7):
        changes.add_user(ground.admin, ground.dn, f"Page {number}", f"page{number}")
    answer = ground.read(page_size=3)
    assert answer.sizes == [3, 3, 1]
    assert answer.counts == {"user": 7}


def test_a_group_comes_with_its_members_users_groups_and_contacts(ground: Playground) -> None:
    user = changes.add_user(ground.admin, ground.dn, "Member", "member")
    inner = changes.add_group(ground.admin, ground.dn, "Inner", "inner", [user])
    outer = changes.add_group(ground.admin, ground.dn, "Outer", "outer", [user, inner])
    empty = changes.add_group(ground.admin, ground.dn, "Empty", "empty")
    answer = ground.read()
    assert answer.members(ground.guid_of(outer)) == (
        True,
        {ground.guid_of(user), ground.guid_of(inner)},
        set(),
    )
    assert answer.members(ground.guid_of(empty)) == (True, set(), set())


def test_an_attribute_the_schema_does_not_know_is_left_out_and_named(ground: Playground) -> None:
    changes.add_user(ground.admin, ground.dn, "Plain", "plain")
    asked = [ObjectTypeRequest("user", ("displayName", "extensionAttribute99"))]
    answer = ground.read(types=asked)
    assert answer.notes == ["AttributesUnknown: extensionAttribute99"]
    assert list(answer.objects().values()) == [{"displayName": "Plain"}]

"""Editing the schema document in the console: checked, previewed, and only then saved."""

from __future__ import annotations

import copy
import html
import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from provisioning.models import Configuration
from provisioning.tests.answering import Bench, changed, container, group, user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(api: APIClient) -> Client:
    """The administrator's; ``api`` has created the account."""
    client = Client()
    client.force_login(User.objects.get(username="admin"))
    return client


def address(bench: Bench) -> str:
    return reverse("admin:configuration_schema", args=[bench.configuration.pk])


def stored(bench: Bench) -> dict[str, Any]:
    document: dict[str, Any] = Configuration.objects.get(pk=bench.configuration.pk).schema
    return document


def retitled(bench: Bench) -> str:
    """The stored document with a constant department."""
    document = copy.deepcopy(stored(bench))
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        for row in mapping["attributeMappings"]:
            if row["targetAttributeName"] == "Department":
                row["source"] = {"type": "Function", "expression": 'Append([department], " (new)")'}
    return json.dumps(document)


def send(browser: Client, bench: Bench, **fields: str) -> str:
    return browser.post(address(bench), fields).content.decode()


def digest_in(page: str) -> str:
    found = re.search(r'name="previewed" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found.group(1)


def test_a_changed_document_is_previewed_and_then_saved(browser: Client) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada", department="R&D")])
    before, document = stored(bench), retitled(bench)
    page = send(browser, bench, verb="preview", document=document)
    assert "R&amp;D (new)" in page
    assert stored(bench) == before
    answer = browser.post(
        address(bench), {"verb": "save", "document": document, "previewed": digest_in(page)}
    )
    assert answer.status_code == 302
    assert stored(bench) == json.loads(document)
    assert LogEntry.objects.filter(change_message__contains="schema").exists()


def test_what_was_not_previewed_is_not_saved(browser: Client) -> None:
    bench = Bench.set_up()
    before = stored(bench)
    page = send(browser, bench, verb="preview", document=json.dumps(before))
    send(browser, bench, verb="save", document=retitled(bench), previewed=digest_in(page))
    send(browser, bench, verb="save", document=retitled(bench))
    assert stored(bench) == before


def test_a_document_that_can_not_be_used_is_told_with_its_place(browser: Client) -> None:
    bench = Bench.set_up()
    document = copy.deepcopy(stored(bench))
    document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"][0]["source"] = {
        "type": "Function",
        "expression": "Nonsense(",
    }
    page = html.unescape(send(browser, bench, verb="save", document=json.dumps(document)))
    assert "attributeMappings[0]" in page
    assert "Not JSON" in send(browser, bench, verb="save", document="{")


UNIT = container("OU=Staff,DC=corp,DC=example")


def fields(page: str) -> dict[str, str]:
    """The base that a page hands on from press to press."""
    found = re.search(r'name="base" value="([^"]*)"', page)
    assert found is not None
    return {"base": html.unescape(found.group(1)), "type-user": "yes"}


def test_a_container_is_found_by_name_chosen_and_previewed(browser: Client) -> None:
    bench = Bench.set_up()
    bench.cycle([UNIT, user("ada"), user("eve", distinguishedName="CN=eve,DC=corp,DC=example")])
    page = send(browser, bench, verb="find", find="staff")
    assert f'value="choose:container:{UNIT["id"]}"' in page
    page = send(browser, bench, verb=f"choose:container:{UNIT['id']}", **fields(page))
    assert f'name="container" value="{UNIT["id"]}"' in page
    assert "OU=Staff,DC=corp,DC=example" in page
    page = send(browser, bench, verb="scope", container=UNIT["id"], **fields(page))
    assert "nothing is read from Active Directory" in page
    assert "CN=eve,DC=corp,DC=example" in page
    assert stored(bench)["synchronizationRules"][0].get("containerFilter") in (
        None,
        {"includedContainers": []},
    )
    send(browser, bench, verb="save", document=document_in(page), previewed=digest_in(page))
    assert stored(bench)["synchronizationRules"][0]["containerFilter"] == {"includedContainers": [UNIT["id"]]}
    page = browser.get(reverse("admin:configuration_scope", args=[bench.configuration.pk])).content.decode()
    assert "OU=Staff,DC=corp,DC=example" in page


def document_in(page: str) -> str:
    found = re.search(r'name="document" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found.group(1))


def test_clauses_are_added_joined_and_taken_out(browser: Client) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada", department="R&D"), user("bob", department="Sales"), user("eve")])
    sent = fields(send(browser, bench, verb="either:user", **fields(send(browser, bench, verb="find"))))
    row = {"clauses-user-0": "Staff", "clause-user-0-0-attribute": "department"}
    sent |= row | {"clause-user-0-0-operator": "EQUALS", "clause-user-0-0-values": "R&D\r\nOps"}
    assert 'name="clause-user-0-1-attribute"' in send(browser, bench, verb="and:user:0", **sent)
    second = {"clauses-user-1": "", "clause-user-1-0-attribute": "department"}
    sent |= second | {"clause-user-1-0-operator": "IS NULL", "clause-user-1-0-values": "left over"}
    page = send(browser, bench, verb="scope", **sent)
    assert "CN=bob" in page
    groups = json.loads(document_in(page))["synchronizationRules"][0]["objectMappings"][0]["scope"]["groups"]
    assert [group["name"] for group in groups] == ["Staff", None]
    assert [group["clauses"][0]["targetOperand"]["values"] for group in groups] == [["R&D", "Ops"], []]
    page = send(browser, bench, verb="without:user:0:0", **sent)
    assert 'name="clauses-user-0" value=""' in page
    assert 'name="clauses-user-1"' not in page
    assert browser.post(address(bench), {"verb": "without:user:7:0", **sent}).status_code == 400


def test_what_is_wrong_with_a_clause_stands_beside_it(browser: Client) -> None:
    bench = Bench.set_up()
    sent = fields(send(browser, bench, verb="find"))
    sent |= {"clauses-user-0": "", "clause-user-0-0-attribute": "mail", "clause-user-0-1-attribute": "title"}
    sent |= {"clause-user-0-0-operator": "PRESENT", "clause-user-0-1-operator": "REGEX MATCH"}
    page = html.unescape(send(browser, bench, verb="scope", **sent, **{"clause-user-0-1-values": "("}))
    assert "The scope can not be used" in page
    assert 'id="error-user-0-1"' in page
    assert 'id="error-user-0-0"' not in page
    assert "Correct the regular expression." in page


def test_what_is_not_known_is_said_beside_the_field(browser: Client) -> None:
    bench = Bench.set_up()
    assert "No container or group is known by this name" in send(browser, bench, verb="find", find="nowhere")
    bench.agent.delete()
    page = send(browser, bench, verb="find", find="OU=Nowhere,DC=corp,DC=example")
    assert "HybridIdentityServiceNoAgentsAssigned" in page


def test_containers_and_groups_are_found_by_rest(api: APIClient) -> None:
    bench = Bench.set_up()
    team = changed(group("Staff pilots", []), objectSid="AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAUAQAAA==")
    bench.cycle([UNIT, team])
    place = f"/api/v1/configurations/{bench.configuration.pk}/places"
    found = api.get(place, {"name": "staff"}).json()["results"]
    assert [(one["kind"], one["guid"]) for one in found] == [("container", UNIT["id"]), ("group", team["id"])]
    assert api.get(place, {"name": UNIT["id"]}).json()["results"] == found[:1]
    assert api.get(place, {"name": "ou=staff,dc=corp,dc=example"}).json()["results"] == found
    bench.agent.delete()
    assert api.get(place, {"name": "OU=New,DC=corp,DC=example"}).json()["code"].startswith("HybridIdentity")
    assert api.get(place).json()["code"] == "InvalidInput"


def test_a_scope_that_names_what_nobody_knows_is_warned_of(browser: Client) -> None:
    bench = Bench.set_up()
    guid = "5f0c2a52-7f2b-4b2e-9d5d-0a3c1c8f6b11"
    page = send(browser, bench, verb="scope", container=guid, **fields(send(browser, bench, verb="find")))
    assert "ScopeContainerMissing" in page
    assert "Not known here" in page


def test_a_dn_in_a_document_is_resolved_where_it_is_known_and_else_refused(
    browser: Client, api: APIClient
) -> None:
    bench = Bench.set_up()
    bench.cycle([UNIT, user("ada")])
    document = copy.deepcopy(stored(bench))
    rule = document["synchronizationRules"][0]
    rule["containerFilter"] = {"includedContainers": ["ou=staff,dc=corp,dc=example"]}
    page = send(browser, bench, verb="preview", document=json.dumps(document))
    assert UNIT["id"] in document_in(page)
    place = f"/api/v1/configurations/{bench.configuration.pk}"
    assert api.patch(place, {"schema": document}, format="json").status_code == 200
    assert stored(bench)["synchronizationRules"][0]["containerFilter"] == {"includedContainers": [UNIT["id"]]}
    rule["containerFilter"] = {"includedContainers": ["OU=Nowhere,DC=corp,DC=example"]}
    page = html.unescape(send(browser, bench, verb="preview", document=json.dumps(document)))
    assert "ScopeIdentityInvalid" in page
    assert "Get-ADObject" in page
    answer = api.patch(place, {"schema": document}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "ScopeIdentityInvalid")


def test_the_next_cycle_is_previewed(browser: Client) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    assert "Nothing would change" in send(browser, bench, verb="next")


def test_who_may_not_see_objects_may_not_edit() -> None:
    bench = Bench.set_up()
    clerk = User.objects.create_user("clerk", password="correct horse battery", is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_configuration", "change_configuration"])
    clerk.user_permissions.set(rights)
    client = Client()
    client.force_login(clerk)
    assert client.get(address(bench)).status_code == 403

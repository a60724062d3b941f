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
from provisioning.tests.answering import Bench, user

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


def test_containers_are_changed_without_touching_the_document(browser: Client) -> None:
    bench = Bench.set_up()
    guid = "5f0c2a52-7f2b-4b2e-9d5d-0a3c1c8f6b11"
    page = send(browser, bench, verb="scope", containers=guid)
    assert "No complete read has been stored" in page
    assert guid in page


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

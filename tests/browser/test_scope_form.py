"""A scope is chosen, previewed and saved, with a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from portal.tests.estate import Estate
from provisioning.models import Configuration
from provisioning.tests.answering import Bench, changed, container, group, user
from tests.browser.conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

STAFF = "OU=Staff,DC=corp,DC=example"


def test_a_scope_is_chosen_by_name_previewed_and_saved(page: Page, built: Estate, watch: Watch) -> None:
    bench = Bench.set_up()
    unit = container(STAFF)
    team = changed(group("Staff pilots", []), objectSid="AQUAAAAAAAUVAAAAAQAAAAIAAAADAAAAUAQAAA==")
    bob = user("bob", department="Sales", distinguishedName="CN=bob,CN=Users,DC=corp,DC=example")
    bench.cycle([unit, user("ada", department="R&D"), bob, user("eve"), team])
    page.goto(f"/admin/provisioning/configuration/{bench.configuration.pk}/scope/")
    page.get_by_role("link", name="Change the scope").click()

    page.get_by_label("Find an organisational unit").fill("staff")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Found").get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name=f"Add {STAFF}").click()
    expect(page.get_by_label("Chosen containers")).to_contain_text(STAFF)

    users = page.get_by_role("group", name="Users by their attributes")
    users.get_by_role("button", name="Add a clause").click()
    users.get_by_label("Attribute").fill("department")
    users.get_by_label("Operator").select_option("REGEX MATCH")
    users.get_by_label("Values").fill("(")
    page.get_by_role("button", name="Preview this scope").click()
    expect(users.get_by_text("Correct the regular expression")).to_be_visible()
    users.get_by_label("Values").fill("^R")
    page.get_by_role("button", name="Preview this scope").click()

    preview = page.get_by_label("Preview")
    expect(preview).to_contain_text("nothing is read from Active Directory")
    expect(preview.get_by_role("row").filter(has_text="user")).to_contain_text("2")
    assert Configuration.objects.get(pk=bench.configuration.pk).schema == bench.configuration.schema
    preview.get_by_role("button", name="Save what was previewed").click()
    expect(page.get_by_text("nothing is read for it")).to_be_visible()
    rule = Configuration.objects.get(pk=bench.configuration.pk).schema["synchronizationRules"][0]
    assert rule["containerFilter"] == {"includedContainers": [unit["id"]]}
    page.get_by_role("link", name="Scope", exact=True).click()
    expect(page.get_by_label("Users")).to_contain_text("^R")
    assert (watch.left, watch.refused, watch.complaints) == ([], [], [])

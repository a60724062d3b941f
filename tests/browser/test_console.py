"""What an administrator does in the console, with a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from agents.models import AgentState, EnrolmentToken
from directory.models import Group
from portal.tests import factories
from portal.tests.estate import Estate
from provisioning.models import Configuration, Job, JobState, ProvisioningLogEntry
from tests.browser.conftest import Watch

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_every_page_of_the_sidebar_works_without_any_other_host(
    page: Page, built: Estate, watch: Watch
) -> None:
    addresses = page.locator("#nav-sidebar-apps a").evaluate_all("links => links.map(link => link.href)")
    assert len(addresses) >= 14
    details = [
        f"/admin/provisioning/configuration/{built.job.configuration_id}/{tab}/"
        for tab in ("change", "scope", "mapping", "reconcile", "properties")
    ]
    details += [
        f"/admin/directory/user/{built.users[0].pk}/change/",
        f"/admin/agents/agent/{built.agent.pk}/change/",
    ]
    for address in [*addresses, *details]:
        page.goto(address, wait_until="networkidle")
    assert (watch.left, watch.refused, watch.complaints) == ([], [], [])


def test_the_dashboard_flags_what_needs_a_person(page: Page, built: Estate) -> None:
    flagged = page.locator("[data-agentless]")
    expect(flagged).to_contain_text("lab.fabrikam.example")
    assert flagged.get_by_role("link", name="lab.fabrikam.example").evaluate(
        "e => getComputedStyle(e).color"
    ) == ("rgb(185, 28, 28)")
    expect(page.get_by_role("alert").filter(has_text="Contoso branches is held")).to_be_visible()


def test_the_dashboard_refreshes_itself(page: Page, built: Estate) -> None:
    page.clock.install()
    page.goto("/admin/")
    row = page.get_by_role("row").filter(has_text="Contoso pilot")
    expect(row).to_contain_text("Disabled")
    Job.objects.filter(configuration__name="Contoso pilot").update(state=JobState.ACTIVE)
    page.clock.run_for(11_000)
    expect(row).to_contain_text("Active")


def test_a_held_job_is_looked_at_and_rejected(page: Page, built: Estate) -> None:
    page.get_by_role("link", name="Look and decide").click()
    expect(page.get_by_role("heading", name="What would be removed")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(37)
    page.get_by_role("button", name="Reject: remove nothing").click()
    expect(page.get_by_text("removes nothing of what was listed")).to_be_visible()
    expect(page.get_by_label("Objects job")).to_contain_text("Paused")


def test_a_job_is_paused_started_and_restarted(page: Page, built: Estate) -> None:
    page.get_by_role("link", name="Contoso head office").click()
    card = page.get_by_label("Objects job")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("Paused")
    card.get_by_role("button", name="Start").click()
    expect(card).to_contain_text("Active")
    card.get_by_role("link", name="Restart…").click()
    page.get_by_role("button", name="Restart").click()
    expect(page.get_by_text("reads the whole domain again")).to_be_visible()
    assert Job.objects.get(pk=built.job.pk).watermark == ""


def test_a_button_still_works_after_the_page_refreshed_itself(page: Page, built: Estate) -> None:
    page.clock.install()
    page.goto(f"/admin/provisioning/configuration/{built.job.configuration_id}/change/")
    with page.expect_response(re.compile("/live/")):
        page.clock.run_for(11_000)
    page.get_by_label("Objects job").get_by_role("button", name="Pause").click()
    expect(page.get_by_label("Objects job")).to_contain_text("Paused")


def test_an_agent_is_added_with_a_command_to_copy(page: Page, built: Estate) -> None:
    page.goto("/admin/heartbeat/")
    page.get_by_role("link", name="Add agent").click()
    page.get_by_label("Label").fill("New branch")
    page.get_by_label("AD domain").fill("corp.contoso.example")
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    token = EnrolmentToken.objects.get(label="New branch")
    assert re.search(rf"isthmus-{token.hint}-\S+", copied)
    assert "--domain corp.contoso.example" in copied


def test_the_heartbeat_shows_each_day_also_in_words(page: Page, built: Estate) -> None:
    page.goto("/admin/heartbeat/")
    row = page.get_by_role("row").filter(has_text="lab-dc-agent")
    expect(row).to_contain_text("Inactive")
    expect(row).to_contain_text("overdue")
    label = row.get_by_role("img").get_attribute("aria-label") or ""
    assert label.startswith("Last 24 hours, UTC: active from")
    assert "inactive from" in label
    strip = row.locator(".is-strip")
    width = strip.evaluate("e => e.getBoundingClientRect().width")
    filled = strip.locator("span").evaluate_all(
        "all => all.reduce((n, e) => n + e.getBoundingClientRect().width, 0)"
    )
    assert filled == pytest.approx(width, abs=4)


def test_an_agent_is_revoked_after_a_question(page: Page, built: Estate) -> None:
    page.goto(f"/admin/agents/agent/{built.agent.pk}/change/")
    page.get_by_role("link", name="Revoke…").click()
    page.get_by_role("button", name="Revoke this agent").click()
    expect(page.get_by_label("Basics")).to_contain_text("Revoked")
    built.agent.refresh_from_db()
    assert built.agent.state == AgentState.REVOKED


def test_a_configuration_is_created_and_started(page: Page, built: Estate) -> None:
    page.get_by_role("link", name="New configuration").click()
    page.get_by_label("Name").fill("From the browser")
    page.locator("#id_domain").select_option(label="corp.contoso.example")
    page.get_by_label("Notification addresses").fill("it@contoso.example")
    page.get_by_role("button", name="Save").click()
    card = page.get_by_label("Objects job")
    expect(card).to_contain_text("Disabled")
    card.get_by_role("button", name="Start").click()
    expect(card).to_contain_text("Active")
    assert Configuration.objects.get(name="From the browser").jobs.get().next_run_at is not None


def test_the_log_is_searched_filtered_and_opened(page: Page, built: Estate) -> None:
    entry = ProvisioningLogEntry.objects.filter(status="Success")[0]
    page.goto("/admin/provisioning/provisioninglogentry/")
    page.locator("#searchbar").fill(str(entry.source_guid))
    page.keyboard.press("Enter")
    rows = page.locator("#result_list tr.data-row")
    expect(rows).to_have_count(1)
    rows.get_by_role("link").first.click()
    changed = page.get_by_label("Modified properties").get_by_role("row").nth(1)
    expect(changed).to_contain_text("Senior analyst")


def test_people_and_groups_lead_to_each_other(page: Page, built: Estate) -> None:
    page.goto("/admin/directory/user/")
    page.locator("#searchbar").fill("user0013")
    page.keyboard.press("Enter")
    page.locator("#result_list tr.data-row").get_by_role("link").first.click()
    page.get_by_label("Member of").get_by_role("link", name="Finance").click()
    expect(page.get_by_label("Members")).to_contain_text("user0000@contoso.example")
    assert str(Group.objects.get(attributes__DisplayName="Finance").pk) in page.url


def test_what_comes_from_ad_is_text_and_never_markup(page: Page, built: Estate) -> None:
    evil = '<img src=x onerror="document.title=1"><b>Bold</b>'
    group = factories.group(evil, built.users[0])
    factories.log_entry(built.held_cycle, evil, detail=evil, error_code="X", status="Failure")
    for address in (
        "/admin/",
        "/admin/directory/group/",
        f"/admin/directory/group/{group.pk}/change/",
        f"/admin/directory/user/{built.users[0].pk}/change/",
        "/admin/provisioning/provisioninglogentry/",
    ):
        page.goto(address)
        expect(page.get_by_text("<b>Bold</b>").first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0


def test_the_console_fits_a_phone(page: Page, built: Estate) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (
        "/admin/",
        "/admin/heartbeat/",
        f"/admin/provisioning/configuration/{built.job.configuration_id}/change/",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390

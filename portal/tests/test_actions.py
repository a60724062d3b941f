"""What the buttons of the console do, and to whom they are refused."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse

from agents.models import Agent, AgentState, EnrolmentToken
from portal.tests import factories
from portal.tests.estate import Estate
from provisioning.models import Change, Configuration, CycleStep, Job, JobState, Link, SourceObject


def press(console: Client, job: Job, verb: str) -> Job:
    answer = console.post(reverse("admin:job_act", args=[job.pk, verb]))
    assert answer.status_code == 302, answer.content
    job.refresh_from_db()
    return job


def test_a_job_is_paused_and_started_again(console: Client, built: Estate) -> None:
    assert press(console, built.job, "pause").state == JobState.PAUSED
    assert built.job.next_run_at is None
    assert press(console, built.job, "start").state == JobState.ACTIVE
    assert built.job.next_run_at is not None


def test_run_now_makes_the_job_due(console: Client, built: Estate) -> None:
    before = built.job.next_run_at
    assert before is not None
    after = press(console, built.job, "run").next_run_at
    assert after is not None
    assert after < before


def test_a_refusal_is_told_and_changes_nothing(console: Client, built: Estate) -> None:
    answer = console.post(reverse("admin:job_act", args=[built.held_job.pk, "start"]), follow=True)
    assert "Allow or reject its deletions" in answer.content.decode()
    built.held_job.refresh_from_db()
    assert built.held_job.state == JobState.HELD


def test_actions_are_not_links(console: Client, built: Estate) -> None:
    assert console.get(reverse("admin:job_act", args=[built.job.pk, "pause"])).status_code == 405


def test_an_unknown_action_is_not_found(console: Client, built: Estate) -> None:
    assert console.post(reverse("admin:job_act", args=[built.job.pk, "explode"])).status_code == 404


@pytest.mark.parametrize("verb", ["start", "pause", "run", "allow-deletes", "reject-deletes"])
def test_a_viewer_can_not_steer(verb: str, viewer_console: Client, built: Estate) -> None:
    assert viewer_console.post(reverse("admin:job_act", args=[built.held_job.pk, verb])).status_code == 403


def test_a_restart_asks_first_and_then_forgets_the_watermark(console: Client, built: Estate) -> None:
    address = reverse("admin:job_restart", args=[built.job.pk])
    assert "Read everything again" in console.get(address).content.decode()
    console.post(address, {"full": "yes"})
    built.job.refresh_from_db()
    assert built.job.watermark == ""


def test_a_restart_from_the_watermark_keeps_it(console: Client, built: Estate) -> None:
    console.post(reverse("admin:job_restart", args=[built.job.pk]), {"full": "no"})
    built.job.refresh_from_db()
    assert built.job.watermark == "opaque"


def test_the_held_list_names_everyone_who_would_go(console: Client, built: Estate) -> None:
    page = html.unescape(console.get(reverse("admin:job_held", args=[built.held_job.pk])).content.decode())
    assert "would delete 33 and disable 4 objects" in page
    for dn in SourceObject.objects.filter(is_gone=True).values_list("dn", flat=True):
        assert dn in page


def test_the_held_list_is_paged(console: Client, built: Estate) -> None:
    job = factories.configuration("Large", built.domain)
    factories.held(job, 130)
    address = reverse("admin:job_held", args=[job.pk])
    assert len(console.get(address).context["rows"]) == 100
    assert len(console.get(address, {"page": 2}).context["rows"]) == 30


def test_allowing_lets_the_held_cycle_go_on(console: Client, built: Estate) -> None:
    assert press(console, built.held_job, "allow-deletes").state == JobState.ACTIVE
    built.held_cycle.refresh_from_db()
    assert built.held_cycle.step == CycleStep.EXPORTING


def test_rejecting_drops_the_plan_and_pauses_the_job(console: Client, built: Estate) -> None:
    assert press(console, built.held_job, "reject-deletes").state == JobState.PAUSED
    assert not Change.objects.filter(cycle=built.held_cycle).exists()


def test_a_job_that_is_not_held_has_no_list(console: Client, built: Estate) -> None:
    assert console.get(reverse("admin:job_held", args=[built.job.pk])).status_code == 302


def test_a_viewer_sees_the_held_list_without_the_buttons(viewer_console: Client, built: Estate) -> None:
    page = viewer_console.get(reverse("admin:job_held", args=[built.held_job.pk])).content.decode()
    assert "What would be removed" in page
    assert "Allow: remove" not in page


def test_a_new_configuration_is_disabled_with_a_schema_and_a_job(console: Client, built: Estate) -> None:
    answer = console.post(
        reverse("admin:provisioning_configuration_add"),
        {
            "name": "New one",
            "domain": built.domain.pk,
            "target": built.job.configuration.target_id,
            "notification_addresses": "a@contoso.example, b@contoso.example",
            "delete_threshold_enabled": "on",
            "delete_threshold": "12",
            "nested_groups": "keep",
            "reconcile": "report",
            "reconcile_hours": 24,
        },
    )
    made = Configuration.objects.get(name="New one")
    assert answer["Location"] == reverse("admin:provisioning_configuration_change", args=[made.pk])
    assert made.notification_addresses == ["a@contoso.example", "b@contoso.example"]
    assert made.delete_threshold == 12
    assert made.schema["synchronizationRules"]
    assert made.jobs.get().state == JobState.DISABLED


def test_a_wrong_address_is_told_and_nothing_is_made(console: Client, built: Estate) -> None:
    data = {"name": "X", "domain": built.domain.pk, "target": built.job.configuration.target_id}
    answer = console.post(
        reverse("admin:provisioning_configuration_add"),
        {**data, "notification_addresses": "nobody", "delete_threshold": "5"},
    )
    assert "valid email address" in answer.content.decode()
    assert not Configuration.objects.filter(name="X").exists()


def test_properties_are_changed_and_lead_back(console: Client, built: Estate) -> None:
    configuration = built.job.configuration
    answer = console.post(
        reverse("admin:configuration_properties", args=[configuration.pk]),
        {
            "name": "Renamed",
            "notification_addresses": "",
            "delete_threshold": "7",
            "nested_groups": "flatten",
            "reconcile": "repair",
            "reconcile_hours": 24,
        },
    )
    configuration.refresh_from_db()
    assert answer["Location"] == reverse("admin:provisioning_configuration_change", args=[configuration.pk])
    assert (configuration.name, configuration.delete_threshold) == ("Renamed", 7)
    assert configuration.nested_groups == "flatten"
    assert (configuration.reconcile, configuration.reconcile_hours) == ("repair", 24)
    assert configuration.delete_threshold_enabled is False


def test_a_viewer_can_not_change_properties(viewer_console: Client, built: Estate) -> None:
    address = reverse("admin:configuration_properties", args=[built.job.configuration_id])
    assert viewer_console.post(address, {"name": "Mine", "delete_threshold": "1"}).status_code == 403


def test_deleting_a_configuration_takes_all_we_know_of_it_and_nothing_else(
    console: Client, built: Estate
) -> None:
    doomed = built.held_job.configuration
    kept = SourceObject.objects.exclude(configuration=doomed).count()
    console.post(reverse("admin:provisioning_configuration_delete", args=[doomed.pk]))
    assert not Configuration.objects.filter(pk=doomed.pk).exists()
    assert not SourceObject.objects.filter(configuration_id=doomed.pk).exists()
    assert not Link.objects.filter(configuration_id=doomed.pk).exists()
    assert not Change.objects.filter(cycle_id=built.held_cycle.pk).exists()
    assert SourceObject.objects.count() == kept > 0


def test_a_token_is_shown_once_inside_the_command(console: Client) -> None:
    address = reverse("admin:add_agent")
    answer = console.post(address, {"label": "Branch", "domain": "corp.example", "hours": "2"})
    page, token = html.unescape(answer.content.decode()), EnrolmentToken.objects.get()
    assert f"isthmus-{token.hint}-" in page
    assert "isthmus-agent enrol --portal" in page
    assert "--domain corp.example" in page
    assert "no-store" in answer["Cache-Control"]
    listed = console.get(reverse("admin:agents_enrolmenttoken_changelist")).content.decode()
    assert f"isthmus-{token.hint}-" not in listed


def test_a_token_for_a_year_is_refused(console: Client) -> None:
    answer = console.post(reverse("admin:add_agent"), {"hours": str(24 * 365)})
    assert "less than or equal to 720" in answer.content.decode()
    assert not EnrolmentToken.objects.exists()


def test_the_authority_of_the_portal_can_be_fetched(console: Client) -> None:
    answer = console.get(reverse("admin:authority_certificate"))
    assert answer.content.startswith(b"-----BEGIN CERTIFICATE-----")


def test_a_viewer_gets_no_token(viewer_console: Client) -> None:
    assert viewer_console.get(reverse("admin:add_agent")).status_code == 403


def test_revoking_asks_first_and_then_puts_the_agent_out(console: Client, built: Estate) -> None:
    address = reverse("admin:revoke_agent", args=[built.agent.pk])
    assert "Revoke this agent" in console.get(address).content.decode()
    console.post(address)
    assert Agent.objects.get(pk=built.agent.pk).state == AgentState.REVOKED


def test_a_viewer_can_not_revoke(viewer_console: Client, built: Estate) -> None:
    assert viewer_console.post(reverse("admin:revoke_agent", args=[built.agent.pk])).status_code == 403


def test_who_steered_what_is_in_the_history(console: Client, built: Estate) -> None:
    press(console, built.job, "pause")
    configuration = built.job.configuration
    page = console.get(
        reverse("admin:provisioning_configuration_history", args=[configuration.pk])
    ).content.decode()
    assert "Objects: pause" in page
    assert "admin" in page


def test_the_switches_of_a_target_are_shown_and_changed(console: Client, built: Estate) -> None:
    target = built.job.configuration.target
    address = reverse("admin:provisioning_target_change", args=[target.pk])
    page = console.get(address).content.decode()
    assert "Block soft match" in page
    assert "cloud.invalid" in page
    wanted = {"name": target.name, "blocks_soft_match": "on", "initial_domain": "tenant.example"}
    assert console.post(address, wanted).status_code == 302
    target.refresh_from_db()
    assert target.settings == {
        "blockCloudObjectTakeoverThroughHardMatch": False,
        "blockSoftMatch": True,
        "duplicateAttributeResiliency": False,
        "initialDomain": "tenant.example",
    }
    refused = console.post(address, {**wanted, "initial_domain": "no domain"})
    assert "Give a domain name" in refused.content.decode()
    assert (
        reverse("admin:provisioning_target_change", args=[target.pk])
        in console.get(reverse("admin:provisioning_target_changelist")).content.decode()
    )

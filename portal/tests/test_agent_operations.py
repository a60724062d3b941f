"""An agent in operation, as the console and REST show it: its health, and the flag of two hosts."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from agents import events
from agents.models import Agent, AgentRelease, HealthSample, UpdatePolicy
from portal.tests.estate import Estate
from provisioning.models import Configuration, Notification


@pytest.fixture
def watched(built: Estate) -> Agent:
    """An agent with two bootstraps of one process, which was also seen elsewhere."""
    now, instance = timezone.now(), uuid4()
    for minutes, answered in ((20, 100), (10, 107)):
        HealthSample.objects.create(
            agent=built.agent,
            at=now - timedelta(minutes=minutes),
            version="0.9.7",
            instance_id=instance,
            answered=answered,
            bytes_posted=answered * 2**20,
            last_errors=[{"code": "AdBusy", "at": now.isoformat()}],
        )
    Agent.objects.filter(pk=built.agent.pk).update(
        cloned_since=now, clone_evidence="Seen from 192.0.2.1 and 192.0.2.2."
    )
    return Agent.objects.get(pk=built.agent.pk)


def page_of(console: Client, agent: Agent) -> str:
    return console.get(reverse("admin:agents_agent_change", args=[agent.pk])).content.decode()


def test_the_page_shows_the_history_and_the_last_errors(console: Client, watched: Agent) -> None:
    page = page_of(console, watched)
    assert "107 requests answered" in page
    assert "<td>7</td>" in page
    assert "AdBusy" in page
    assert "0.9.7" in page


def test_the_flag_is_shown_and_taken_back(console: Client, watched: Agent) -> None:
    assert "Seen from 192.0.2.1 and 192.0.2.2." in page_of(console, watched)
    assert "two hosts" in console.get(reverse("admin:agents_agent_changelist")).content.decode()
    chosen = console.get(reverse("admin:agents_agent_changelist"), {"cloned_since__isempty": "0"})
    assert [row.pk for row in chosen.context["cl"].result_list] == [watched.pk]
    address = reverse("admin:clear_clone", args=[watched.pk])
    assert console.get(address).status_code == 405
    assert console.post(address).status_code == 302
    assert "192.0.2.2" not in page_of(console, watched)
    assert LogEntry.objects.filter(object_id=str(watched.pk)).count() == 1


def test_a_viewer_sees_the_flag_and_can_not_take_it_back(viewer_console: Client, watched: Agent) -> None:
    assert "The copy is stopped" not in page_of(viewer_console, watched)
    assert viewer_console.post(reverse("admin:clear_clone", args=[watched.pk])).status_code == 403
    assert Agent.objects.get(pk=watched.pk).cloned_since is not None


def test_rest_lists_the_history_newest_first(api: APIClient, watched: Agent) -> None:
    found = api.get(f"/api/v1/agents/{watched.pk}/health/").json()["results"]
    assert [row["answered"] for row in found] == [107, 100]
    assert found[0]["last_errors"][0]["code"] == "AdBusy"


def test_rest_takes_the_flag_back_for_those_who_may(
    api: APIClient, viewer_api: APIClient, watched: Agent
) -> None:
    address = f"/api/v1/agents/{watched.pk}/not-cloned/"
    assert api.get(f"/api/v1/agents/{watched.pk}/").json()["cloned_since"] is not None
    assert viewer_api.post(address).status_code == 403
    assert api.post(address).json()["cloned_since"] is None


def test_whoever_watches_a_configuration_is_told_by_mail(watched: Agent) -> None:
    configuration = Configuration.objects.filter(domain__agents=watched)[0]
    configuration.notification_addresses = ["operations@contoso.example"]
    configuration.save()
    for _ in range(2):
        events.agent_cloned(watched, watched.cloned_since or timezone.now())
    mail = Notification.objects.get(template="agent_cloned", configuration=configuration)
    assert mail.recipients == ["operations@contoso.example"]
    assert mail.subject == f"Two hosts use the certificate of agent {watched.name}"


@pytest.fixture
def released(db: None) -> None:
    """Two published versions."""
    for version in ("8.0.0", "9.0.0"):
        AgentRelease.objects.create(
            version=version,
            target=f"isthmus_agent-{version}-py3-none-any.whl",
            sha256="0" * 64,
            size=1,
            published_at=timezone.now(),
        )


def test_a_policy_is_shown_and_changed_in_the_console(
    console: Client, viewer_console: Client, built: Estate, released: None
) -> None:
    address = reverse("admin:update_policy", args=[built.agent.pk])
    assert "9.0.0, at once" in console.get(address).content.decode()
    wanted = {"pinned_version": "8.0.0", "window_start": "22:00", "window_end": "04:00"}
    assert viewer_console.get(address).status_code == 200
    assert viewer_console.post(address, {**wanted, "timezone": "UTC"}).status_code == 403
    for wrong in ({"timezone": "Mars/Olympus"}, {"timezone": "UTC", "window_end": ""}):
        assert console.post(address, {**wanted, **wrong}).status_code == 200
    assert not UpdatePolicy.objects.exists()
    assert console.post(address, {**wanted, "timezone": "Europe/Berlin"}).status_code == 302
    policy = UpdatePolicy.objects.get()
    assert (policy.agent_id, policy.pinned_version) == (built.agent.pk, "8.0.0")
    assert (str(policy.window_start), policy.timezone) == ("22:00:00", "Europe/Berlin")
    assert LogEntry.objects.filter(object_id=str(built.agent.pk)).count() == 1
    assert "8.0.0" in console.get(address).content.decode()


def test_a_policy_is_read_and_changed_through_rest(
    api: APIClient, viewer_api: APIClient, built: Estate, released: None
) -> None:
    address = f"/api/v1/agents/{built.agent.pk}/update-policy/"
    found = viewer_api.get(address).json()
    assert found["advice"] == {"version": "9.0.0", "now": True, "reason": "at once", "at": None}
    assert not UpdatePolicy.objects.exists()
    assert viewer_api.put(address, {"at_once": True}, format="json").status_code == 403
    until = (timezone.now() + timedelta(days=3)).isoformat()
    changed = api.put(address, {"deferred_until": until}, format="json").json()
    assert (changed["advice"]["now"], changed["advice"]["reason"]) == (False, "deferred")
    for wrong in ({"window_start": "22:00"}, {"timezone": "../etc/passwd"}, {"pinned_version": "newest"}):
        assert api.patch(address, wrong, format="json").status_code == 400
    assert api.patch(address, {"at_once": True}, format="json").json()["advice"]["now"] is True
    assert [row["version"] for row in api.get("/api/v1/agent-releases/").json()["results"]] == [
        "9.0.0",
        "8.0.0",
    ]

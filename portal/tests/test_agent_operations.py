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
from agents.models import Agent, HealthSample
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

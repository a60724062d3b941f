"""A change that an agent was notified of reaches whoever listens."""

from __future__ import annotations

import orjson
import pytest
from django.test import override_settings
from django.utils import timezone

from agents import changes
from agents.tests.cast import make_agent, make_domain
from agents.tests.events import Heard
from agents.tests.portal_process import Portal
from agents.tests.wire_client import Wire, code_of
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_listeners_hear_of_a_change(heard: Heard) -> None:
    agent, now = make_agent(make_domain()), timezone.now()
    changes.note(agent.id, "corp.example", now)
    assert heard.changed == [("corp.example", now)]


def test_an_agent_can_not_speak_for_a_domain_it_does_not_serve(heard: Heard) -> None:
    stranger = make_agent(make_domain("north.example"))
    make_domain()
    with pytest.raises(WireError) as caught:
        changes.note(stranger.id, "corp.example", timezone.now())
    assert (caught.value.code, heard.changed) == ("DomainUnknown", [])


def test_nobody_hears_of_changes_while_notification_is_off(heard: Heard) -> None:
    agent = make_agent(make_domain())
    with override_settings(CHANGE_NOTIFICATION=False):
        changes.note(agent.id, "corp.example", timezone.now())
    assert heard.changed == []


def test_a_change_comes_over_the_bus(portal: Portal) -> None:
    member = make_agent(make_domain(), bootstrapped_at=timezone.now(), issued_at=timezone.now())
    wire = Wire(portal, member)
    assert wire.bootstrap()["changeNotification"] is True
    assert wire.bus("POST", "bus/changes", data=orjson.dumps({"domain": "Corp.Example"})).status_code == 202
    unknown = wire.bus("POST", "bus/changes", data=orjson.dumps({"domain": "other.example"}))
    assert code_of(unknown) == "DomainUnknown"
    assert code_of(wire.bus("POST", "bus/changes", data=b"[]")) == "MalformedRequest"
    wire.use("nonsense")
    assert code_of(wire.bus("POST", "bus/changes", data=b"{}")) == "BusTokenInvalid"

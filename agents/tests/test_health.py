"""The history of an agent's health: what a bootstrap leaves, what is told of it, and when it goes."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from agents import health, housekeeping
from agents.health import Work
from agents.models import Agent, HealthSample
from agents.tests.cast import NOW, make_agent, make_domain
from agents.tests.portal_process import Portal
from agents.tests.wire_client import Wire, code_of

HOST = {"name": "srv1", "version": "0.1.0", "os": "Debian 12"}
FIRST, SECOND = uuid.uuid4(), uuid.uuid4()


def sample(answered: int, instance_id: uuid.UUID | None = FIRST) -> HealthSample:
    return HealthSample(answered=answered, instance_id=instance_id)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ([], []),
        ([sample(4)], [(4, True)]),
        ([sample(9), sample(4)], [(5, False)]),
        ([sample(2, SECOND), sample(9), sample(4)], [(2, True), (5, False)]),
        ([sample(2, None), sample(9, None)], [(2, False)]),
    ],
    ids=["none", "the only one", "goes on", "a new process", "went back without an id"],
)
def test_work_is_what_came_since_the_bootstrap_before(
    samples: list[HealthSample], expected: list[tuple[int, bool]]
) -> None:
    assert [(row.work.answered, row.restarted) for row in health.intervals(samples)] == expected


@pytest.mark.django_db(transaction=True)
def test_a_bootstrap_leaves_a_sample(portal: Portal) -> None:
    wire = Wire(portal, make_agent(make_domain(), bootstrapped_at=None, issued_at=timezone.now()))
    counters = {"requests": 3, "failures": 1, "resources": 566, "bytes": 80_123, "reconnects": 2, "pages": 4}
    errors = [{"code": "AdBusy", "at": "2026-11-25T10:00:00+00:00", "detail": "CN=Ada Lovelace"}]
    body = {**HOST, "instance": str(FIRST), "host": "f" * 64, "counters": counters, "lastErrors": errors}
    answer = wire.signed("POST", "bootstrap", {**body, "consecutiveFailures": 5})
    assert answer.status_code == 200, answer.text
    assert answer.json()["sequence"] == Agent.objects.get().sequence != ""
    kept = HealthSample.objects.get()
    assert health.totals(kept) == Work(3, 1, 566, 80_123, 2)
    assert (kept.version, kept.operating_system, kept.address) == ("0.1.0", "Debian 12", "127.0.0.1")
    assert (kept.instance_id, kept.failed_bootstraps) == (FIRST, 5)
    assert kept.last_errors == [{"code": "AdBusy", "at": "2026-11-25T10:00:00+00:00"}]
    assert "Ada" not in str(Agent.objects.get().report)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "body",
    [
        {"lastErrors": ["AdBusy"]},
        {"lastErrors": [{"code": "CN=Ada Lovelace"}]},
        {"lastErrors": [{"code": "AdBusy", "at": "yesterday"}]},
        {"instance": "7"},
        {"instance": str(FIRST), "sequence": "x" * 65},
    ],
)
def test_what_is_no_report_is_refused(portal: Portal, body: dict[str, object]) -> None:
    wire = Wire(portal, make_agent(bootstrapped_at=None, issued_at=timezone.now()))
    assert code_of(wire.signed("POST", "bootstrap", {**HOST, **body})) == "MalformedRequest"
    assert not HealthSample.objects.exists()


@pytest.mark.django_db
def test_a_week_is_kept() -> None:
    agent = make_agent().agent
    for days in (6, 8):
        HealthSample.objects.create(agent=agent, at=NOW - timedelta(days=days), version=str(days))
    housekeeping.forget(NOW)
    assert [row.version for row in HealthSample.objects.all()] == ["6"]

"""A change that an agent was notified of makes the domain's job run at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from agents import events
from provisioning.models import Cycle, Job, JobState
from provisioning.services import jobs, starting
from provisioning.tests.answering import Bench, user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def bench() -> Bench:
    """A configuration in sync whose last cycle started a minute ago and whose next run is a minute off."""
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    now = timezone.now()
    Cycle.objects.update(started_at=now - timedelta(minutes=1))
    next_run_is_a_minute_off(now)
    return bench


def next_run_is_a_minute_off(now: datetime) -> None:
    """A job's phase is drawn by lot: left to it, the next run may be sooner than what a notice asks for."""
    Job.objects.update(next_run_at=now + timedelta(minutes=1))


def notified(bench: Bench, at: datetime) -> datetime | None:
    events.domain_changed(bench.configuration.domain, at)
    return bench.job.next_run_at


def test_the_job_is_due_at_once_and_keeps_its_phase(bench: Bench) -> None:
    now = timezone.now()
    phase = bench.job.phase_s
    assert notified(bench, now) == now
    assert len(starting.start_due(now)) == 1
    job = bench.job
    assert job.next_run_at == jobs.run_after(job, now)
    assert int(job.next_run_at.timestamp()) % job.interval_s == phase


def test_two_starts_are_five_seconds_apart(bench: Bench) -> None:
    now = timezone.now()
    Cycle.objects.update(started_at=now - timedelta(seconds=2))
    assert notified(bench, now) == now + timedelta(seconds=3)
    assert notified(bench, now + timedelta(seconds=1)) == now + timedelta(seconds=3)


def test_a_change_during_a_cycle_is_run_for_after_it(bench: Bench) -> None:
    cycle = bench.begin()
    now = cycle.started_at + timedelta(seconds=1)
    next_run_is_a_minute_off(now)
    assert notified(bench, now) == cycle.started_at + timedelta(seconds=5)
    assert len(starting.start_due(now + timedelta(seconds=10))) == 0


@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.HELD, JobState.QUARANTINED])
def test_a_job_that_is_not_active_is_left_alone(bench: Bench, state: JobState) -> None:
    Job.objects.update(state=state)
    before = bench.job.next_run_at
    assert notified(bench, timezone.now()) == before


def test_a_run_that_is_sooner_stays(bench: Bench) -> None:
    now = timezone.now()
    Job.objects.update(next_run_at=now - timedelta(seconds=1))
    assert notified(bench, now) == now - timedelta(seconds=1)

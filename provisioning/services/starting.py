"""Step 1 and 2: claim the jobs that are due; each gets a cycle and a bus request in one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from agents.bus import requests as bus
from provisioning.models import Cycle, CycleKind, Job
from provisioning.services import failing, quarantining, reading
from provisioning.services.jobs import RUNNING_STATES, run_after

# The kind under which our requests travel on the bus.
READ = "read"
# Jobs started by one tick at most; the next tick comes two seconds later.
JOBS_PER_TICK = 200


def start_due(now: datetime) -> int:
    """Start a cycle for every job that is due; returns how many were started."""
    due = Job.objects.filter(next_run_at__lte=now, current_cycle__isnull=True, state__in=RUNNING_STATES)
    ids = list(due.order_by("next_run_at").values_list("id", flat=True)[:JOBS_PER_TICK])
    return sum(start(job_id, now) for job_id in ids)


def start(job_id: int, now: datetime) -> bool:
    """Start a cycle of this job unless another process was first."""
    with transaction.atomic():
        job = _claim(job_id, now)
        if job is None or quarantining.give_up(job, now):
            return False
        cycle = _open_cycle(job, now)
        Job.objects.filter(pk=job.pk).update(current_cycle=cycle, next_run_at=run_after(job, now))
        _ask_agents(job, cycle, now)
    return True


def _claim(job_id: int, now: datetime) -> Job | None:
    claimed = (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=job_id, next_run_at__lte=now, current_cycle__isnull=True, state__in=RUNNING_STATES)
        .select_related("configuration__domain", "configuration__target")
        .defer("configuration__schema")
    )
    return claimed.first()


def _open_cycle(job: Job, now: datetime) -> Cycle:
    kind = CycleKind.DELTA if job.watermark else CycleKind.INITIAL
    return Cycle.objects.create(job=job, kind=kind, started_at=now, moved_at=now, correlation_id=uuid.uuid4())


def _ask_agents(job: Job, cycle: Cycle, now: datetime) -> None:
    unavailable = bus.availability(job.configuration.domain)
    if unavailable is not None:
        failing.fail(cycle, unavailable, failing.sentence(unavailable), now)
        return
    deadline = now + timedelta(seconds=settings.BUS_REQUEST_TIMEOUT_S)
    body = reading.request_body(job, cycle.correlation_id, deadline)
    request = bus.enqueue(
        domain=job.configuration.domain, kind=READ, body=body, correlation_id=cycle.correlation_id, now=now
    )
    Cycle.objects.filter(pk=cycle.pk).update(request_id=request.id)

"""Step 1 and 2: claim the jobs that are due; each gets a cycle and a bus request in one transaction."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from agents.bus import requests as bus
from provisioning.models import Cycle, CycleKind, CycleStep, Job
from provisioning.services import coverage, failing, quarantining, reading
from provisioning.services.jobs import RUNNING_STATES, forget_watermark, run_after

# The kind under which our requests travel on the bus.
READ = "read"
# Jobs started by one tick at most; the next tick comes two seconds later.
JOBS_PER_TICK = 200


def start_due(now: datetime) -> list[Cycle]:
    """Start a cycle for every job that is due; returns those that were started."""
    due = Job.objects.filter(next_run_at__lte=now, current_cycle__isnull=True, state__in=RUNNING_STATES)
    ids = list(due.order_by("next_run_at").values_list("id", flat=True)[:JOBS_PER_TICK])
    return [cycle for job_id in ids if (cycle := start(job_id, now)) is not None]


def start(job_id: int, now: datetime) -> Cycle | None:
    """Start a cycle of this job unless another process was first."""
    with transaction.atomic():
        job = _claim(job_id, now)
        if job is None or quarantining.give_up(job, now):
            return None
        is_covered = _is_covered(job)
        kind = _kind(job, is_covered)
        cycle = _open_cycle(job, kind, now)
        asks = kind is not CycleKind.EVALUATION
        # After one that asks nobody its turn is still to come.
        following = run_after(job, now) if asks else now
        Job.objects.filter(pk=job.pk).update(current_cycle=cycle, next_run_at=following)
        if asks:
            _ask_agents(job, cycle, now, is_covered=is_covered)
    return cycle


def _claim(job_id: int, now: datetime) -> Job | None:
    claimed = (
        Job.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=job_id, next_run_at__lte=now, current_cycle__isnull=True, state__in=RUNNING_STATES)
        .select_related("configuration__domain")
        .defer(*reading.unneeded("configuration"))
    )
    return claimed.first()


def _is_covered(job: Job) -> bool:
    """Whether the watermark answers what has to be asked; where it does not, it is given up."""
    if not job.watermark or not job.question:
        return False
    is_covered = not coverage.gaps(job, reading.asked(job.configuration).question)
    if not is_covered:
        forget_watermark(job)
        job.save(update_fields=["watermark", "watermark_at", "restart_requested"])
    return is_covered


def _kind(job: Job, is_covered: bool) -> CycleKind:
    """What the cycle does; notes on the job what it asks for."""
    asked = reading.asked(job.configuration)
    if is_covered and job.evaluated_as != asked.digest:
        return CycleKind.EVALUATION
    question = asked.question.to_json()
    if job.question != question:
        job.question = question
        job.save(update_fields=["question"])
    return CycleKind.DELTA if job.watermark else CycleKind.INITIAL


def _open_cycle(job: Job, kind: CycleKind, now: datetime) -> Cycle:
    """The row. A cycle that asks nobody begins with its plan."""
    asks = kind is not CycleKind.EVALUATION
    return Cycle.objects.create(
        job=job,
        kind=kind,
        step=CycleStep.READING if asks else CycleStep.PLANNING,
        started_at=now,
        moved_at=now,
        correlation_id=uuid.uuid4(),
    )


def _ask_agents(job: Job, cycle: Cycle, now: datetime, *, is_covered: bool) -> None:
    unavailable = bus.availability(job.configuration.domain)
    if unavailable is not None:
        failing.fail(cycle, unavailable, failing.sentence(unavailable), now)
        return
    deadline = now + timedelta(seconds=settings.BUS_REQUEST_TIMEOUT_S)
    body = reading.request_body(job, cycle.correlation_id, deadline, is_covered=is_covered)
    request = bus.enqueue(
        domain=job.configuration.domain, kind=READ, body=body, correlation_id=cycle.correlation_id, now=now
    )
    cycle.request_id = request.id
    cycle.save(update_fields=["request_id"])

"""A change was seen in a domain: its jobs run at once instead of at their time."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from provisioning.models import Cycle, Job, JobState

# From one start of a job to the next that a change may bring about.
SPACING: Final = timedelta(seconds=5)


def hurry(domain_id: uuid.UUID, now: datetime) -> bool:
    """Bring the next run of the domain's active jobs forward; True if one is due now.

    The phase stays as it is: what runs after this run is counted from the job's own second again. A change
    during a cycle is run for after that cycle, because the agent may have read past it already.
    """
    with transaction.atomic():
        jobs = Job.objects.select_for_update(of=("self",)).filter(
            configuration__domain_id=domain_id, state=JobState.ACTIVE, next_run_at__gt=now
        )
        due = [_bring_forward(job, now) for job in jobs.order_by("pk")]
    return any(due)


def _bring_forward(job: Job, now: datetime) -> bool:
    started = Cycle.objects.filter(job=job).order_by("-id").values_list("started_at", flat=True).first()
    earliest = now if started is None else max(now, started + SPACING)
    if job.next_run_at is not None and earliest < job.next_run_at:
        Job.objects.filter(pk=job.pk).update(next_run_at=earliest)
    return earliest == now and job.current_cycle_id is None

"""A cycle that failed as a whole: nothing was removed, the watermark stands, the job tries again or is quarantined."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents.bus import requests as bus
from provisioning import errors
from provisioning.models import Cycle, CycleStep, Job
from provisioning.models.cycle import MOVING_STEPS
from provisioning.services import quarantining, reconciled, restarting
from provisioning.services.jobs import run_after
from provisioning.store import members

_UNKNOWN = "See the agent's log for what happened; the next cycle tries again."


def sentence(code: str) -> str:
    """What the code means and what to do."""
    return errors.ERRORS.get(code, _UNKNOWN)


def fail(cycle: Cycle, code: str, detail: str, now: datetime) -> None:
    """End the cycle as failed, once; the job is quarantined when a person has to act."""
    with transaction.atomic():
        ended = Cycle.objects.filter(pk=cycle.pk, step__in=MOVING_STEPS).update(
            step=CycleStep.FAILED, error_code=code, error_detail=detail, ended_at=now, moved_at=now
        )
        if not ended:
            return
        reconciled.dropped(cycle, code, detail, now)
        members.abandon(cycle.pk)
        locked = Job.objects.select_for_update().select_related("configuration")
        job = locked.defer("configuration__schema").get(pk=cycle.job_id)
        job.failures_in_a_row += 1
        job.current_cycle = None
        if cycle.request_id is not None:
            bus.discard(cycle.request_id)
        if code in errors.CRITICAL:
            quarantining.impose(job, cycle, code, detail, now)
        restarting.forget_pending(job)
        if job.next_run_at is not None:
            job.next_run_at = run_after(job, now)
        job.save()

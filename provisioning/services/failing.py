"""A cycle that failed as a whole: nothing was removed, the watermark stands, the job tries again or is quarantined."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F

from agents.bus import requests as bus
from provisioning import errors
from provisioning.models import Cycle, CycleStep, Job, JobState
from provisioning.models.cycle import MOVING_STEPS
from provisioning.services import notifications
from provisioning.services.jobs import run_after

QUARANTINE = "EncounteredQuarantineException"
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
        job = Job.objects.select_for_update().select_related("configuration").get(pk=cycle.job_id)
        job.failures_in_a_row = F("failures_in_a_row") + 1
        job.current_cycle = None
        job.save(update_fields=["failures_in_a_row", "current_cycle"])
        job.refresh_from_db()
        if cycle.request_id is not None:
            bus.discard(cycle.request_id)
        if code in errors.CRITICAL:
            _quarantine(job, cycle, code, detail, now)
        Job.objects.filter(pk=job.pk).update(next_run_at=run_after(job, now))


def _quarantine(job: Job, cycle: Cycle, code: str, detail: str, now: datetime) -> None:
    """Into quarantine, or another reason for it: one mail for each reason."""
    if job.state not in (JobState.ACTIVE, JobState.QUARANTINED):
        return
    is_news = job.state == JobState.ACTIVE or job.state_reason != code
    if not is_news:
        return
    job.state, job.state_reason, job.state_detail, job.state_since = JobState.QUARANTINED, code, detail, now
    job.save(update_fields=["state", "state_reason", "state_detail", "state_since"])
    notifications.job_quarantined(job, cycle, code, detail, now)

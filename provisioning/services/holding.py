"""A plan that takes too much away waits for a person; nothing of it has been written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from provisioning import errors
from provisioning.engine.guard import Removals
from provisioning.models import Cycle, CycleKind, Job, JobState
from provisioning.services import notifications
from provisioning.store import logs

TOO_MANY_DELETES = "TooManyDeletes"


def hold(cycle: Cycle, removals: Removals, breaches: Sequence[str], now: datetime) -> None:
    """Hold the job: log what would go, write one mail. Runs inside the planning transaction.

    ``breaches`` names the limits that were reached.
    """
    job = cycle.job
    what = "This undo" if cycle.kind == CycleKind.UNDO else "This cycle"
    detail = f"{told(what, removals)} That is {'; '.join(breaches)}. {errors.ERRORS[TOO_MANY_DELETES]}"
    Job.objects.filter(pk=job.pk).update(
        state=JobState.HELD,
        state_reason=TOO_MANY_DELETES,
        state_detail=detail,
        state_since=now,
        next_run_at=None,
    )
    logs.write_held(job.configuration_id, cycle.pk, TOO_MANY_DELETES, detail, now)
    notifications.job_held(job, cycle, removals, breaches, now)


def told(what: str, removals: Removals) -> str:
    """What it would take away, as a sentence."""
    objects = f"{what} would delete {removals.deletions} and disable {removals.disables} objects"
    return f"{objects} and end {removals.memberships} memberships." if removals.memberships else f"{objects}."

"""A plan that takes too much away waits for a person; nothing of it has been written."""

from __future__ import annotations

from datetime import datetime

from provisioning import errors
from provisioning.engine.guard import Removals
from provisioning.models import Cycle, Job, JobState
from provisioning.services import notifications
from provisioning.store import logs

TOO_MANY_DELETES = "TooManyDeletes"


def hold(cycle: Cycle, removals: Removals, now: datetime) -> None:
    """Hold the job: log what would go, write one mail. Runs inside the planning transaction."""
    job = cycle.job
    threshold = job.configuration.delete_threshold
    detail = (
        f"This cycle would delete {removals.deletions} and disable {removals.disables} objects; "
        f"the threshold is {threshold}. {errors.ERRORS[TOO_MANY_DELETES]}"
    )
    Job.objects.filter(pk=job.pk).update(
        state=JobState.HELD,
        state_reason=TOO_MANY_DELETES,
        state_detail=detail,
        state_since=now,
        next_run_at=None,
    )
    logs.write_held(job.configuration_id, cycle.pk, TOO_MANY_DELETES, detail, now)
    notifications.job_held(job, cycle, removals, now)

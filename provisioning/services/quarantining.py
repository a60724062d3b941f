"""Into quarantine, through it, and out of it: one mail for each reason, given up after four weeks."""

from __future__ import annotations

from datetime import datetime

from provisioning.engine import quarantine
from provisioning.errors import ERRORS
from provisioning.models import Cycle, Job, JobState
from provisioning.services import notifications
from provisioning.store import failures

TOO_LONG = "QuarantinedTooLong"


def impose(job: Job, cycle: Cycle, reason: str, detail: str, now: datetime) -> None:
    """Put the job into quarantine, or note that it stays there. Changes the job without saving it."""
    if job.state not in (JobState.ACTIVE, JobState.QUARANTINED):
        return
    if job.state == JobState.ACTIVE:
        job.state, job.state_since = JobState.QUARANTINED, now
        job.quarantine_count, job.quarantine_told = 0, []
    job.state_reason, job.state_detail = reason, detail
    job.quarantine_imposed_at = now
    job.quarantine_count += 1
    if reason not in job.quarantine_told:
        job.quarantine_told = [*job.quarantine_told, reason]
        notifications.job_quarantined(job, cycle, reason, detail, now)


def lift(job: Job, now: datetime) -> None:
    """End a quarantine. Changes the job without saving it."""
    job.state, job.state_reason, job.state_detail, job.state_since = JobState.ACTIVE, "", "", now
    job.quarantine_imposed_at, job.quarantine_count, job.quarantine_told = None, 0, []


def judge(job: Job, cycle: Cycle, now: datetime) -> None:
    """After a cycle that came to its end: quarantine for its failures, or an end to an earlier one."""
    if job.state != JobState.QUARANTINED and not cycle.count_failed:
        return
    found = failures.of_cycle(job.configuration_id, cycle.pk)
    reason = quarantine.reason_after(job.state_reason, found)
    if reason is not None:
        impose(job, cycle, reason, _told(reason, found), now)
    elif job.state == JobState.QUARANTINED:
        lift(job, now)


def give_up(job: Job, now: datetime) -> bool:
    """Disable a job that has been in quarantine for too long; true when it was. Saves the job."""
    since = job.state_since
    if job.state != JobState.QUARANTINED or since is None or not quarantine.is_given_up(since, now):
        return False
    last_reason = job.state_reason
    lift(job, now)
    job.state, job.state_reason, job.next_run_at = JobState.DISABLED, TOO_LONG, None
    job.state_detail = f"{ERRORS[TOO_LONG]} The last reason was {last_reason}."
    job.save()
    notifications.job_given_up(job, TOO_LONG, job.state_detail, now)
    return True


def _told(reason: quarantine.Reason, found: quarantine.Failures) -> str:
    counts = f"{found.standing} objects and {found.failed_references} references fail."
    return f"{counts} {ERRORS[reason]}"

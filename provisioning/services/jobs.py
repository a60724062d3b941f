"""Steering a job: start, pause, run now, and what to do with a held plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from agents.bus import requests as bus
from provisioning.engine import schedule
from provisioning.errors import ERRORS
from provisioning.models import (
    Change,
    ChangeStatus,
    Cycle,
    CycleKind,
    CycleStep,
    GroupFill,
    Job,
    JobState,
    MemberChange,
)
from provisioning.services import reconciled

REJECTED = "The held deletions were rejected; mend the scope or Active Directory, then restart the job."

CYCLE_UNDONE = "CycleUndone"

# States in which the scheduler starts cycles.
RUNNING_STATES = (JobState.ACTIVE, JobState.QUARANTINED)


class JobRefused(Exception):
    """A person asked for something that the job's state does not allow; carries a stable code."""

    def __init__(self, code: str) -> None:
        super().__init__(ERRORS[code])
        self.code = code


def run_after(job: Job, now: datetime) -> datetime:
    """When the job runs next, counted from now."""
    if job.state == JobState.QUARANTINED:
        failures = max(job.failures_in_a_row, job.quarantine_count)
        return schedule.next_quarantined_run(now, job.interval_s, failures)
    return schedule.next_run(now, job.interval_s, job.phase_s % job.interval_s)


def start(job: Job, now: datetime) -> None:
    """Enable the job, or go on after a pause or a quarantine: from its watermark, at once."""
    with lock(job) as locked:
        if locked.state == JobState.HELD:
            raise JobRefused("JobHeld")
        _set_state(locked, JobState.ACTIVE, now)
        locked.next_run_at = now
        locked.save()


def pause(job: Job, now: datetime) -> None:
    """Start no further cycle; one that is under way ends. Everything is kept."""
    with lock(job) as locked:
        if locked.state == JobState.HELD:
            raise JobRefused("JobHeld")
        _set_state(locked, JobState.PAUSED, now)
        locked.next_run_at = None
        locked.save()


def run_now(job: Job, now: datetime) -> None:
    """Start the next cycle at once instead of at its time."""
    with lock(job) as locked:
        if locked.state not in RUNNING_STATES:
            raise JobRefused("JobDisabled")
        locked.next_run_at = now
        locked.save(update_fields=["next_run_at"])


def reread(job: Job, now: datetime) -> None:
    """Let the next cycle read everything, whatever state the job is in; a running job does so at once."""
    with lock(job) as locked:
        _begin_anew(locked, now)
        forget_watermark(locked)
        locked.save()


def evaluate(job: Job, now: datetime) -> None:
    """Let the next cycle look at what is stored, whatever state the job is in; a running job does so at once."""
    with lock(job) as locked:
        _begin_anew(locked, now)
        locked.save()


def _begin_anew(job: Job, now: datetime) -> None:
    """A plan that is held is of no use any more. Changes the job without saving it."""
    drop_held_cycle(job, now)
    if job.state == JobState.HELD:
        _set_state(job, JobState.ACTIVE, now)
    if job.state in RUNNING_STATES:
        job.next_run_at = now


def allow_deletes(job: Job, now: datetime) -> None:
    """Let the held plan go ahead as it was shown; the watchdog sets its cycle moving at its next look."""
    with lock(job) as locked:
        cycle = held_cycle(locked)
        long_ago = now - timedelta(seconds=2 * settings.CYCLE_STALLED_S)
        Cycle.objects.filter(pk=cycle.pk).update(step=CycleStep.EXPORTING, moved_at=long_ago)
        if cycle.kind == CycleKind.UNDO:
            pause_after_undo(locked, cycle.undoes_id, now)
        else:
            _set_state(locked, JobState.ACTIVE, now)
            locked.next_run_at = run_after(locked, now)
        locked.save()


def reject_deletes(job: Job, now: datetime) -> None:
    """Drop the held plan and pause the job, so that scope or AD can be mended before a restart."""
    with lock(job) as locked:
        held_cycle(locked)
        drop_held_cycle(locked, now)
        _set_state(locked, JobState.PAUSED, now)
        locked.state_reason, locked.state_detail = "TooManyDeletes", REJECTED
        locked.next_run_at = None
        locked.save()


def pause_after_undo(job: Job, undone: int | None, now: datetime) -> None:
    """The next cycle would write again what was taken back: a person starts it. Changes the job without saving it."""
    if job.state != JobState.DISABLED:
        _set_state(job, JobState.PAUSED, now)
    job.state_reason, job.next_run_at = CYCLE_UNDONE, None
    job.state_detail = f"{ERRORS[CYCLE_UNDONE]} It was cycle #{undone}."


@contextmanager
def lock(job: Job) -> Iterator[Job]:
    """The job's row, locked for the length of the block."""
    with transaction.atomic():
        locked = Job.objects.select_for_update().select_related("configuration")
        yield locked.defer("configuration__schema").get(pk=job.pk)


def forget_watermark(job: Job) -> None:
    """The next cycle reads everything. Changes the job without saving it."""
    job.watermark, job.watermark_at = "", None
    # A cycle under way must not bring its watermark back when it settles.
    job.restart_requested = job.current_cycle_id is not None


def _set_state(job: Job, state: JobState, now: datetime) -> None:
    job.state, job.state_reason, job.state_detail, job.state_since = state, "", "", now
    job.quarantine_imposed_at, job.quarantine_count, job.quarantine_told = None, 0, []


def held_cycle(job: Job) -> Cycle:
    """The cycle that waits for a decision; raises ``JobNotHeld`` where there is none."""
    cycle = _cycle_in_hold(job)
    if job.state != JobState.HELD or cycle is None:
        raise JobRefused("JobNotHeld")
    return cycle


def _cycle_in_hold(job: Job) -> Cycle | None:
    if job.current_cycle_id is None:
        return None
    return Cycle.objects.filter(pk=job.current_cycle_id, step=CycleStep.HELD).first()


def drop_held_cycle(job: Job, now: datetime) -> None:
    """End a held cycle without writing it; its objects stay marked, so the next plan looks at them again."""
    cycle = _cycle_in_hold(job)
    if cycle is None:
        return
    for model in (Change, MemberChange):
        model.objects.filter(cycle=cycle, status=ChangeStatus.PLANNED).delete()
    GroupFill.objects.filter(cycle=cycle).delete()
    Cycle.objects.filter(pk=cycle.pk).update(
        step=CycleStep.FAILED, error_code="TooManyDeletes", error_detail=REJECTED, ended_at=now, moved_at=now
    )
    reconciled.dropped(cycle, "TooManyDeletes", REJECTED, now)
    if cycle.request_id is not None:
        bus.discard(cycle.request_id)
    job.current_cycle = None

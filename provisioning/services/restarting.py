"""Restarting a job: what is forgotten is chosen by reset scopes (entra-cycle §7)."""

from __future__ import annotations

from datetime import datetime

from provisioning.engine.restart import DEFAULT, ResetScope, parse_reset_scope
from provisioning.models import Job, JobState
from provisioning.services import jobs, quarantining
from provisioning.store import resetting

# What a cycle under way still needs is forgotten when it ends.
_DEFERRED = frozenset({ResetScope.CONNECTOR_DATA_STORE, ResetScope.ESCROWS})


def scopes_of(text: str) -> frozenset[ResetScope]:
    """The scopes that a comma list names; raises :class:`jobs.JobRefused` for one that is unknown."""
    scopes = parse_reset_scope(text)
    if scopes is None:
        raise jobs.JobRefused("InvalidResetScope")
    return scopes


def restart(job: Job, now: datetime, scopes: frozenset[ResetScope] = DEFAULT) -> None:
    """Start the job after forgetting what ``scopes`` names. Unless those are empty a held plan is dropped."""
    if scopes == {ResetScope.FORCE_DELETES}:
        jobs.allow_deletes(job, now)
    elif not scopes:
        jobs.start(job, now)
    else:
        _restart(job, now, scopes)


def clear_quarantine(job: Job, now: datetime) -> None:
    """End a quarantine by hand; the next cycle reads everything, so that nothing stays missed."""
    with jobs.lock(job) as locked:
        if locked.state != JobState.QUARANTINED:
            raise jobs.JobRefused("JobNotQuarantined")
    restart(job, now, frozenset({ResetScope.QUARANTINE_STATE, ResetScope.WATERMARK}))


def forget_pending(job: Job) -> None:
    """At the end of a cycle: forget what a restart had asked for meanwhile. Changes the job without saving it."""
    pending = frozenset(ResetScope(name) for name in job.pending_reset)
    _forget(job, pending)
    job.pending_reset = []


def _restart(job: Job, now: datetime, scopes: frozenset[ResetScope]) -> None:
    with jobs.lock(job) as locked:
        if ResetScope.FORCE_DELETES in scopes:
            jobs.held_cycle(locked)
            locked.deletes_allowed = True
        jobs.drop_held_cycle(locked, now)
        if ResetScope.WATERMARK in scopes:
            jobs.forget_watermark(locked)
        if locked.state != JobState.QUARANTINED or ResetScope.QUARANTINE_STATE in scopes:
            quarantining.lift(locked, now)
            locked.failures_in_a_row = 0
        if locked.current_cycle_id is None:
            _forget(locked, scopes)
        else:
            locked.pending_reset = sorted({*locked.pending_reset, *(scopes & _DEFERRED)})
        locked.next_run_at = now
        locked.save()


def _forget(job: Job, scopes: frozenset[ResetScope]) -> None:
    if ResetScope.CONNECTOR_DATA_STORE in scopes:
        resetting.forget_objects(job.configuration_id)
    elif ResetScope.ESCROWS in scopes:
        resetting.forget_escrows(job.configuration_id)

"""Asking for reconciliations, and starting them when their job is free."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import ExpressionWrapper, F
from django.db.models.fields import DateTimeField

from provisioning.errors import ERRORS
from provisioning.models import (
    Configuration,
    Cycle,
    CycleKind,
    Job,
    JobKind,
    JobState,
    Reconcile,
    Reconciliation,
    ReconciliationMode,
    ReconciliationState,
    TargetKind,
)
from provisioning.models.reconciliation import OPEN_STATES
from provisioning.services.hints import Hint, Step
from provisioning.services.jobs import RUNNING_STATES, JobRefused
from provisioning.store.drift import LISTED

__all__ = ["LISTED", "ask", "start_due"]

# Reconciliations that one tick begins at most; the others wait for the next.
_PER_TICK: Final = 20
_HOUR: Final = timedelta(hours=1)


def ask(
    configuration: Configuration, mode: ReconciliationMode, now: datetime, *, is_scheduled: bool = False
) -> Reconciliation:
    """A reconciliation that begins as soon as the job is free. Raises :class:`JobRefused`."""
    if configuration.target.kind != TargetKind.DIRECTORY:
        raise JobRefused("DriftNotReadable")
    with transaction.atomic():
        _refuse(_locked_job(configuration), mode)
        if Reconciliation.objects.filter(configuration=configuration, state__in=OPEN_STATES).exists():
            raise JobRefused("ReconciliationUnderWay")
        Configuration.objects.filter(pk=configuration.pk).update(reconciled_at=now)
        return Reconciliation.objects.create(
            configuration=configuration, mode=mode, is_scheduled=is_scheduled, asked_at=now
        )


def _locked_job(configuration: Configuration) -> Job:
    return Job.objects.select_for_update().get(configuration=configuration, kind=JobKind.OBJECTS)


def _refuse(job: Job, mode: str) -> None:
    """A repair writes, which a job that was stopped must not; reading does no harm."""
    if job.state == JobState.HELD:
        raise JobRefused("JobHeld")
    if mode == ReconciliationMode.REPAIR and job.state not in RUNNING_STATES:
        raise JobRefused("JobDisabled")


def start_due(now: datetime) -> list[Hint]:
    """Ask for what is due by schedule, then start what waits and whose job is free."""
    for configuration in _due(now):
        _ask_for_scheduled(configuration, now)
    waiting = Reconciliation.objects.filter(state=ReconciliationState.WAITING).order_by("asked_at")
    free = waiting.filter(
        configuration__jobs__kind=JobKind.OBJECTS, configuration__jobs__current_cycle__isnull=True
    )
    return [hint for run_id in free.values_list("pk", flat=True)[:_PER_TICK] for hint in _start(run_id, now)]


def _due(now: datetime) -> list[Configuration]:
    """Configurations whose active job is to be reconciled; the shortest interval is an hour."""
    due_at = ExpressionWrapper(
        F("reconciled_at") + F("reconcile_hours") * _HOUR, output_field=DateTimeField()
    )
    known = Configuration.objects.filter(
        reconcile__in=(Reconcile.REPORT, Reconcile.REPAIR), reconciled_at__lte=now - _HOUR
    )
    active = known.filter(
        jobs__kind=JobKind.OBJECTS, jobs__state=JobState.ACTIVE, target__kind=TargetKind.DIRECTORY
    )
    rows = active.annotate(due_at=due_at).filter(due_at__lte=now).select_related("target").defer("schema")
    return list(rows.order_by("reconciled_at")[:_PER_TICK])


def _ask_for_scheduled(configuration: Configuration, now: datetime) -> None:
    try:
        ask(configuration, ReconciliationMode(configuration.reconcile), now, is_scheduled=True)
    except JobRefused:
        # Somebody stopped the job, or asked for one, a moment ago.
        return


def _start(run_id: int, now: datetime) -> list[Hint]:
    """Take the job and open a cycle; nothing where the job is not free after all."""
    with transaction.atomic():
        run = (
            Reconciliation.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(pk=run_id, state=ReconciliationState.WAITING)
            .select_related("configuration")
            .first()
        )
        if run is None:
            return []
        job = _locked_job(run.configuration)
        if job.current_cycle_id is not None:
            return []
        try:
            _refuse(job, run.mode)
        except JobRefused as refused:
            _fail(run, refused.code, now)
            return []
        cycle = Cycle.objects.create(job=job, kind=CycleKind.RECONCILE, started_at=now, moved_at=now)
        job.current_cycle = cycle
        job.save(update_fields=["current_cycle"])
        run.cycle, run.state, run.started_at = cycle, ReconciliationState.COMPARING, now
        run.save(update_fields=["cycle", "state", "started_at"])
    return [Hint(Step.RECONCILE, cycle.pk)]


def _fail(run: Reconciliation, code: str, now: datetime) -> None:
    run.state, run.ended_at = ReconciliationState.FAILED, now
    run.error_code, run.error_detail = code, ERRORS[code]
    run.save(update_fields=["state", "ended_at", "error_code", "error_detail"])

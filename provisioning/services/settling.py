"""Step 7: everything is written; the watermark moves, the pages go, the job is free again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents.bus import requests as bus
from provisioning.models import Cycle, CycleKind, CycleStep, Job, JobState
from provisioning.services import quarantining, reconciled, restarting
from provisioning.services.clock import now as clock
from provisioning.services.jobs import run_after
from provisioning.services.phases import Phase
from provisioning.store import members, sorting_in, undo

# Cycles that say nothing of the domain.
_BESIDE = (CycleKind.ON_DEMAND, CycleKind.UNDO, CycleKind.RECONCILE)


def settle(cycle_id: int) -> None:
    """End the cycle, once."""
    _sort_in(cycle_id)
    with transaction.atomic():
        cycle = Cycle.objects.select_for_update().filter(pk=cycle_id, step=CycleStep.SETTLING).first()
        if cycle is None:
            return
        job = _locked(cycle)
        if cycle.kind == CycleKind.UNDO:
            undo.mark_for_next_cycle(cycle.pk)
        elif cycle.export_phase == Phase.DONE:
            # A cycle that planned nothing, because it only compared, has looked at no group.
            members.clean_groups(job.configuration_id, cycle.pk, cycle.source_id)
        now = clock()
        _end(cycle, job, now)
        reconciled.settled(cycle, now)


def _sort_in(cycle_id: int) -> None:
    """Before the job is free: its next cycle looks for members."""
    exported = Cycle.objects.filter(pk=cycle_id, step=CycleStep.SETTLING).values_list(
        "count_exported", flat=True
    )
    sorting_in.after_exporting(exported.first() or 0)


def settle_quiet(cycle: Cycle, now: datetime) -> None:
    """End a cycle that has read its answer and found nothing to do; in the transaction of its last page."""
    _end(cycle, _locked(cycle), now)


def _locked(cycle: Cycle) -> Job:
    return Job.objects.select_for_update().defer("question").get(pk=cycle.job_id)


def _end(cycle: Cycle, job: Job, now: datetime) -> None:
    Cycle.objects.filter(pk=cycle.pk).update(step=CycleStep.DONE, ended_at=now, moved_at=now)
    if cycle.kind in _BESIDE:
        _leave(job, cycle)
    else:
        _free(job, cycle, now)
    if cycle.request_id is not None:
        bus.discard(cycle.request_id)


def _leave(job: Job, cycle: Cycle) -> None:
    """One that did not read the domain says nothing of it: watermark, quarantine and schedule stay as they are."""
    if job.current_cycle_id == cycle.pk:
        job.current_cycle = None
        # The watermark that a restart took away meanwhile was nobody's to bring back.
        job.restart_requested = False
        restarting.forget_pending(job)
        job.save(update_fields=["current_cycle", "restart_requested", "pending_reset"])


def _free(job: Job, cycle: Cycle, now: datetime) -> None:
    """Give the job its new watermark and its next run."""
    asked = cycle.kind != CycleKind.EVALUATION
    if asked or job.state != JobState.QUARANTINED:
        quarantining.judge(job, cycle, now)
    if asked:
        # One that asked nobody says nothing of agents and controllers.
        if not job.restart_requested:
            job.watermark, job.watermark_at = cycle.new_watermark, now
        job.failures_in_a_row = 0
        job.last_success_at = now
    job.restart_requested = False
    job.deletes_allowed = False
    job.has_unmarked = False
    job.current_cycle = None
    restarting.forget_pending(job)
    is_late = job.next_run_at is not None and job.next_run_at <= now
    if asked and (job.state == JobState.QUARANTINED or (job.state == JobState.ACTIVE and is_late)):
        job.next_run_at = run_after(job, now)
    job.save()

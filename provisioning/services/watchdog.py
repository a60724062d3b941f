"""Cycles that stopped moving get their hint again; running a step twice does no harm."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from provisioning.models import Cycle, CycleKind, CycleStep
from provisioning.models.cycle import MOVING_STEPS
from provisioning.services import exporting
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import Phase

_STEP_OF = {
    CycleStep.READING: Step.INGEST,
    CycleStep.PLANNING: Step.PLAN,
    CycleStep.SETTLING: Step.SETTLE,
}
# Cycles looked at by one tick at most.
CYCLES_PER_TICK = 500


def stalled(now: datetime) -> list[Hint]:
    """Hints for every cycle that made no progress for a while."""
    limit = now - timedelta(seconds=settings.CYCLE_STALLED_S)
    cycles = Cycle.objects.filter(step__in=MOVING_STEPS, moved_at__lt=limit).order_by("moved_at")
    return [hint for cycle in cycles[:CYCLES_PER_TICK] for hint in _hints(cycle)]


def _hints(cycle: Cycle) -> list[Hint]:
    if cycle.step == CycleStep.EXPORTING:
        return exporting.resume(cycle.pk, Phase(cycle.export_phase))
    if cycle.kind == CycleKind.RECONCILE and cycle.step == CycleStep.READING:
        return [Hint(Step.RECONCILE, cycle.pk)]
    return [Hint(_STEP_OF[CycleStep(cycle.step)], cycle.pk)]

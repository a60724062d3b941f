"""How a reconciliation ends: with its cycle."""

from __future__ import annotations

from datetime import datetime

from provisioning.models import Cycle, Reconciliation, ReconciliationState
from provisioning.models.reconciliation import OPEN_STATES


def settled(cycle: Cycle, now: datetime) -> None:
    """The cycle is over: what was found is repaired, or was told."""
    ended = Reconciliation.objects.filter(cycle_id=cycle.pk, ended_at__isnull=True)
    ended.filter(state=ReconciliationState.REPAIRING).update(state=ReconciliationState.DONE)
    ended.update(ended_at=now)


def dropped(cycle: Cycle, code: str, detail: str, now: datetime) -> None:
    """The cycle ended without being settled."""
    Reconciliation.objects.filter(cycle_id=cycle.pk, state__in=OPEN_STATES).update(
        state=ReconciliationState.FAILED, error_code=code, error_detail=detail, ended_at=now
    )

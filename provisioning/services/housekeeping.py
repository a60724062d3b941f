"""What has to be tidied up: log partitions, old cycles, assertions nobody can replay any more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from django.db.models import QuerySet

from provisioning.models import (
    Change,
    Cycle,
    CycleStep,
    DriftFinding,
    GroupFill,
    MemberChange,
    Reconciliation,
)
from provisioning.store import logs

LOG_DAYS = 90
PARTITIONS_AHEAD = 7
# Cycles that did nothing are told by their numbers for a day; the others for as long as the log.
IDLE_CYCLE_AGE = timedelta(days=1)
CYCLE_AGE = timedelta(days=LOG_DAYS)
# Each may have some thousand findings.
_RECONCILIATIONS = 100
_AT_ONCE = 1_000
_ENDED = (CycleStep.DONE, CycleStep.FAILED)


@lru_cache(maxsize=1)
def ensure_log_partitions(today: date) -> None:
    """Make the log's partitions for today and a week ahead; once a day in each process."""
    logs.ensure_partitions(today, PARTITIONS_AHEAD)


def tidy(now: datetime) -> None:
    """Drop what has outlived its use."""
    logs.drop_partitions((now - CYCLE_AGE).date())
    _delete(Cycle.objects.filter(step=CycleStep.DONE, ended_at__lt=now - IDLE_CYCLE_AGE, count_planned=0))
    _delete(Cycle.objects.filter(step__in=_ENDED, ended_at__lt=now - CYCLE_AGE))
    told = Reconciliation.objects.filter(ended_at__lt=now - CYCLE_AGE).values_list("id", flat=True)
    _delete_reconciliations(list(told[:_RECONCILIATIONS]))


def _delete_reconciliations(runs: list[int]) -> None:
    findings = DriftFinding.objects.filter(reconciliation_id__in=runs)
    findings._raw_delete(findings.db)  # as below
    Reconciliation.objects.filter(id__in=runs).delete()


def _delete(cycles: QuerySet[Cycle]) -> None:
    # A thousand domains have 30 000 cycles an hour.
    while ids := list(cycles.values_list("id", flat=True)[:_AT_ONCE]):
        for model in (GroupFill, MemberChange, Change):
            rows = model.objects.filter(cycle_id__in=ids)
            rows._raw_delete(rows.db)  # no signals, no collector: rows by the million
        Cycle.objects.filter(id__in=ids).delete()

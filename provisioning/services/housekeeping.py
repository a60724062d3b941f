"""What has to be tidied up: log partitions, old cycles, assertions nobody can replay any more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from provisioning.models import Change, Cycle, CycleStep, MemberChange
from provisioning.store import logs

LOG_DAYS = 90
PARTITIONS_AHEAD = 7
# Cycles that did nothing are told by their numbers for a day; the others for as long as the log.
IDLE_CYCLE_AGE = timedelta(days=1)
CYCLE_AGE = timedelta(days=LOG_DAYS)
_ENDED = (CycleStep.DONE, CycleStep.FAILED)


@lru_cache(maxsize=1)
def ensure_log_partitions(today: date) -> None:
    """Make the log's partitions for today and a week ahead; once a day in each process."""
    logs.ensure_partitions(today, PARTITIONS_AHEAD)


def tidy(now: datetime) -> None:
    """Drop what has outlived its use."""
    logs.drop_partitions((now - CYCLE_AGE).date())
    idle = Cycle.objects.filter(step=CycleStep.DONE, ended_at__lt=now - IDLE_CYCLE_AGE, count_planned=0)
    _delete(list(idle.values_list("id", flat=True)[:10_000]))
    old = Cycle.objects.filter(step__in=_ENDED, ended_at__lt=now - CYCLE_AGE)
    _delete(list(old.values_list("id", flat=True)[:1_000]))


def _delete(cycles: list[int]) -> None:
    for model in (MemberChange, Change):
        rows = model.objects.filter(cycle_id__in=cycles)
        rows._raw_delete(rows.db)  # no signals, no collector: rows by the million
    Cycle.objects.filter(id__in=cycles).delete()

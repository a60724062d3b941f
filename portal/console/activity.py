"""Twenty-four hours of written changes, as bars."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, Sum
from django.db.models.functions import TruncHour

from provisioning.models import Cycle

HOURS = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One hour: what was written, what failed, and their heights in percent of the tallest hour."""

    starts: datetime
    exported: int
    failed: int
    exported_height: int
    failed_height: int


@dataclass(frozen=True, slots=True)
class Activity:
    """The bars and their sums."""

    bars: list[Bar]
    exported: int
    failed: int


def last_day(now: datetime) -> Activity:
    """What the cycles that ended in the last 24 hours wrote, by hour."""
    first = _hour(now) - timedelta(hours=HOURS - 1)
    rows = (
        Cycle.objects.filter(ended_at__gte=first)
        .filter(Q(count_exported__gt=0) | Q(count_failed__gt=0))
        .order_by()
        .annotate(hour=TruncHour("ended_at", tzinfo=UTC))
        .values("hour")
        .annotate(exported=Sum("count_exported"), failed=Sum("count_failed"))
    )
    return bars({row["hour"]: (row["exported"], row["failed"]) for row in rows}, first)


def bars(by_hour: dict[datetime, tuple[int, int]], first: datetime) -> Activity:
    """Twenty-four bars from the first hour on; an hour with anything in it is at least visible."""
    hours = [first + timedelta(hours=offset) for offset in range(HOURS)]
    counts = [by_hour.get(hour, (0, 0)) for hour in hours]
    tallest = max((sum(pair) for pair in counts), default=0)
    return Activity(
        bars=[
            Bar(hour, exported, failed, _height(exported, tallest), _height(failed, tallest))
            for hour, (exported, failed) in zip(hours, counts, strict=True)
        ],
        exported=sum(exported for exported, _ in counts),
        failed=sum(failed for _, failed in counts),
    )


def _height(value: int, tallest: int) -> int:
    return max(3, round(100 * value / tallest)) if value else 0


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)

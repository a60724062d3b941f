"""The history of an agent's health: recorded at each bootstrap, told as the work done between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

from agents.facts import HostFacts, Presence
from agents.models import Agent, HealthSample

# A counter beyond this is a defect of the agent, not work done (PostgreSQL's bigint ends at 2^63 - 1).
_MOST: Final = 2**62


class Work(NamedTuple):
    """What was done: requests answered and failed, objects read, bytes posted, connections found again."""

    answered: int
    failed: int
    objects_read: int
    bytes_posted: int
    reconnects: int


@dataclass(frozen=True, slots=True)
class Interval:
    """One bootstrap and the work since the one before; ``restarted`` when a new process reports."""

    sample: HealthSample
    work: Work
    restarted: bool


def record(
    agent: Agent, facts: HostFacts, presence: Presence | None, report: Mapping[str, Any], now: datetime
) -> None:
    """Keep what the agent says of itself; inside the caller's transaction."""
    counters = report.get("counters", {})
    HealthSample.objects.create(
        agent=agent,
        at=now,
        version=facts.version,
        operating_system=facts.operating_system,
        address=facts.address,
        instance_id=presence.instance_id if presence else None,
        host_fingerprint=presence.host if presence else "",
        answered=_count(counters, "requests"),
        failed=_count(counters, "failures"),
        objects_read=_count(counters, "resources"),
        bytes_posted=_count(counters, "bytes"),
        reconnects=_count(counters, "reconnects"),
        failed_bootstraps=min(report.get("consecutiveFailures", 0), 2**31 - 1),
        last_errors=report.get("lastErrors", []),
    )


def intervals(samples: Sequence[HealthSample]) -> list[Interval]:
    """The samples, newest first as given, each with the work since its predecessor.

    Counters begin at zero with every process. The oldest sample has no predecessor to compare with and is left
    out, unless it is the only one.
    """
    found = [_interval(now, before) for now, before in pairwise(samples)]
    return found or [_interval(sample, None) for sample in samples]


def totals(sample: HealthSample) -> Work:
    """The counters of a sample as they stand."""
    return Work(sample.answered, sample.failed, sample.objects_read, sample.bytes_posted, sample.reconnects)


def _interval(sample: HealthSample, before: HealthSample | None) -> Interval:
    work = totals(sample)
    restarted = before is None or sample.instance_id != before.instance_id
    if before is None or restarted:
        return Interval(sample, work, restarted)
    # A counter that went back began anew, whatever the instance says: agents older than the id have none.
    pairs = zip(work, totals(before), strict=True)
    return Interval(sample, Work(*(n if n < b else n - b for n, b in pairs)), restarted=False)


def _count(counters: Mapping[str, Any], name: str) -> int:
    return max(0, min(int(counters.get(name, 0)), _MOST))

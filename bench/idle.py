"""What a cycle without a change costs, process by process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import psycopg

from bench import report, usage
from bench.usage import Usage
from lab.portal_client import wait_for

# For a minute: autovacuum looks around once a minute, with a cycle or without.
CYCLES: Final = 24
# Beat starts what is due every two seconds.
_TICK_S: Final = 2.5
_MAKE_DUE: Final = "UPDATE provisioning_job SET next_run_at = now() WHERE id = %s"
_TIDYING: Final = ("VACUUM (ANALYZE)", "CHECKPOINT")
_IS_CALM: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'"
_PATIENCE_S: Final = 300.0


@dataclass(frozen=True)
class Idle:
    """Processor seconds of each process: a cycle without a change, and the ticks of the same time without one."""

    cycle: list[Usage]
    background: list[Usage]

    @property
    def milliseconds(self) -> float:
        """What one cycle costs, all processes together."""
        return usage.total_cpu(self.cycle) * 1000


def measure(dsn: str, job: int, usages: Callable[[], list[Usage]]) -> Idle:
    """Let the job run a few cycles; beat's ticks and the like go on without them, and are taken off.

    What PostgreSQL still has to do after a load of many rows is done first.
    """
    _tidy(dsn)
    background = _over_a_while(dsn, None, usages)
    busy = _over_a_while(dsn, job, usages)
    return Idle(_each(usage.since(busy, background)), _each(background))


def _tidy(dsn: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        for statement in _TIDYING:
            connection.execute(statement)
        wait_for(
            lambda: connection.execute(_IS_CALM).fetchone() == (0,),
            "An end of autovacuum",
            seconds=_PATIENCE_S,
        )


def show(idle: Idle) -> None:
    """A line for each process."""
    pairs = zip(idle.cycle, idle.background, strict=True)
    rows = [(one.name, one.cpu_seconds * 1000, rest.cpu_seconds * 1000) for one, rest in pairs]
    total = ("all", idle.milliseconds, usage.total_cpu(idle.background) * 1000)
    columns = ("process", "a cycle", f"{_TICK_S:g} s without one")
    report.table("Processor time of an idle cycle (milliseconds)", columns, [*rows, total])


def _over_a_while(dsn: str, job: int | None, usages: Callable[[], list[Usage]]) -> list[Usage]:
    before = usages()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for _ in range(CYCLES):
            if job is not None:
                connection.execute(_MAKE_DUE, [job])
            time.sleep(_TICK_S)
    return usage.since(usages(), before)


def _each(usages: Sequence[Usage]) -> list[Usage]:
    return [replace(one, cpu_seconds=one.cpu_seconds / CYCLES) for one in usages]

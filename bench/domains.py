"""Many configurations on one machine, nothing changing in any of them: ``python -m bench.domains [--domains 1000]``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psycopg

from bench import installation, report, usage
from bench.crowd import fqdn
from bench.report import Bound
from bench.usage import Usage
from lab.portal_client import PortalClient
from lab.processes import Child
from lab.stack import ROOT, Stack

INTERVAL_S: Final = 120
MOST_LATENESS_S: Final = 5.0
# Cycles that are due at the end of the measured time may still start and settle.
_GRACE_S: Final = 15.0
_ALIVE: Final = "SELECT count(*) FROM agents_agent WHERE state = 'active'"
_READ: Final = "SELECT count(*) FROM provisioning_job WHERE watermark <> '' AND current_cycle_id IS NULL"
_PHASES: Final = "SELECT id, phase_s FROM provisioning_job"
_CYCLES: Final = """
SELECT job_id, extract(epoch FROM started_at)::float, extract(epoch FROM ended_at)::float, step
  FROM provisioning_cycle WHERE started_at >= %s
"""


@dataclass(frozen=True)
class Run:
    """What the measured time brought; seconds after the moment that each job's place in the interval says."""

    expected: int
    started: list[float]
    settled: list[float]
    usages: list[Usage]
    seconds: float


@contextmanager
def crowd(stack: Stack, client: PortalClient, count: int) -> Iterator[Child]:
    """So many agents, each of a domain of its own, on the bus."""
    tokens = stack.directory / "tokens"
    tokens.touch(mode=0o600)
    made = (client.post("enrolment-tokens/", {"label": fqdn(one)})["token"] for one in range(count))
    tokens.write_text("\n".join(made))
    options = ["--portal", stack.agent_url, "--ca-file", str(stack.ca_file), "--tokens", str(tokens)]
    log = stack.directory / "log" / "crowd.log"
    with Child([sys.executable, "-m", "bench.crowd", *options], log, directory=ROOT) as agents:
        _until(stack, agents, _ALIVE, count)
        yield agents


def configure(client: PortalClient, stack: Stack, agents: Child) -> None:
    """A configuration for each domain, its job started; returns after each has read everything once."""
    target = next(client.all("targets/"))["id"]
    domains = list(client.all("domains/"))
    for domain in domains:
        wanted = {"name": domain["fqdn"], "domain": domain["id"], "target": target}
        configuration = client.post("configurations/", wanted)["id"]
        [job] = client.all("jobs/", configuration=configuration)
        client.post(f"jobs/{job['id']}/start/")
    _until(stack, agents, _READ, len(domains))


def measure(stack: Stack, agents: Child, minutes: float) -> Run:
    """Let the schedule run."""

    def usages() -> list[Usage]:
        return [*installation.usages(stack), *usage.of_tree("agents", agents.pid)]

    begin, before = datetime.now(UTC), usages()
    end = begin + timedelta(minutes=minutes)
    time.sleep((end - datetime.now(UTC)).total_seconds())
    spent = usage.since(usages(), before)
    time.sleep(_GRACE_S)
    with psycopg.connect(installation.dsn(stack)) as connection:
        phases: dict[int, int] = dict(connection.execute(_PHASES).fetchall())
        cycles = connection.execute(_CYCLES, [begin]).fetchall()
    return compare(phases, cycles, begin.timestamp(), end.timestamp(), spent)


def compare(
    phases: dict[int, int], cycles: Sequence[tuple[Any, ...]], begin: float, end: float, spent: list[Usage]
) -> Run:
    """Hold the cycles that ran against the moments at which each job was due in between."""
    due = {(job, moment) for job, phase in phases.items() for moment in _moments(phase, begin, end)}
    started: dict[tuple[int, float], float] = {}
    settled: list[float] = []
    for job, at, ended, step in cycles:
        moment = _last_moment(phases[job], at)
        if (job, moment) in due and (job, moment) not in started:
            started[job, moment] = at - moment
            if step == "done":
                settled.append(ended - moment)
    return Run(len(due), sorted(started.values()), sorted(settled), spent, end - begin)


def _last_moment(phase: int, at: float) -> float:
    return (at - phase) // INTERVAL_S * INTERVAL_S + phase


def _moments(phase: int, begin: float, end: float) -> Iterator[float]:
    moment = _last_moment(phase, begin) + INTERVAL_S
    while moment < end:
        yield moment
        moment += INTERVAL_S


def show(run: Run, domains: int) -> int:
    """Print figures and bounds; returns the exit status."""
    report.say(f"{domains} configurations, every {INTERVAL_S} s, measured for {run.seconds:.0f} s")
    rows = [("start", *_spread(run.started)), ("settled", *_spread(run.settled))]
    report.table("Seconds after the moment at which it was due", ("", "p50", "p99", "most"), rows)
    report.processes(run.usages)
    cores = usage.total_cpu(run.usages) / run.seconds
    each = usage.total_cpu(run.usages) / max(len(run.settled), 1) * 1000
    report.say(f"All together {cores:.2f} cores, {each:.0f} ms of processor time a cycle")
    return report.verdict(
        [
            Bound(f"cycles of {run.expected} that did not start", run.expected - len(run.started), 0),
            Bound("cycles that started and are not settled", len(run.started) - len(run.settled), 0),
            Bound("start, p99", _share(run.started, 0.99), MOST_LATENESS_S, "s late"),
        ]
    )


def _spread(seconds: Sequence[float]) -> tuple[float, float, float]:
    return _share(seconds, 0.5), _share(seconds, 0.99), _share(seconds, 1.0)


def _share(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("inf")


def _until(stack: Stack, agents: Child, query: str, count: int) -> None:
    """Wait until the query counts so many."""
    with psycopg.connect(installation.dsn(stack), autocommit=True) as connection:

        def there() -> bool:
            row = connection.execute(query).fetchone()
            return row is not None and row[0] == count

        agents.wait_until(there, seconds=60 + count, every=1.0)


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description="Many idle configurations at the two-minute cadence.")
    parser.add_argument("--domains", type=int, default=1_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args(arguments)
    with installation.fresh_installation(ISTHMUS_CYCLE_INTERVAL=str(INTERVAL_S)) as stack:
        client = stack.client()
        with crowd(stack, client, options.domains) as agents:
            configure(client, stack, agents)
            return show(measure(stack, agents, options.minutes), options.domains)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

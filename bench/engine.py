"""The provisioning service alone, fed by a synthetic agent: ``python -m bench.engine [--scale 1.0]``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import floors, idle, installation, reconciling, report, synthetic_pages, usage
from bench.idle import Idle
from bench.reconciling import Reconciled
from bench.report import Bound
from bench.synthetic_population import DOMAIN, Population
from bench.timeline import STEPS, Timeline, last_cycle
from bench.usage import MEGABYTE, Usage
from lab.enrolment import configure
from lab.portal_client import PortalClient, wait_for
from lab.processes import Child
from lab.stack import ROOT, Stack

SIZE: Final = Population(150_000, 50_000, 1_000_000)
MOST_SECONDS: Final = 30.0
MOST_GROWTH: Final = 1.2
MOST_MEMORY_MB: Final = 300
MOST_DELTA_SECONDS: Final = 3.0
MOST_IDLE_CPU_MS: Final = 50.0
MOST_RECONCILE_SECONDS: Final = 15.0
_PATIENCE_S: Final = 900.0
_WRITTEN: Final = {
    "COPY, the directory's rows": floors.DIRECTORY,
    "COPY, source objects and links": floors.STATE,
    "COPY, changes and log": floors.PLAN_AND_LOG,
}


@dataclass
class Run:
    """What one population cost."""

    population: Population
    initial: Timeline
    usages: list[Usage]
    delta: Timeline | None = None
    idle: Idle | None = None
    reconciled: Reconciled | None = None
    floors: dict[str, float] = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """Users and groups."""
        return self.population.users + self.population.groups

    @property
    def microseconds_per_object(self) -> float:
        """From first page to last export."""
        return self.initial.from_first_page / self.objects * 1e6

    @property
    def times_of_copy(self) -> float:
        """From first page to last export, in times of the COPYs of what it writes."""
        return self.initial.from_first_page / sum(self.floors[name] for name in _WRITTEN)


@dataclass
class Bench:
    """One installation with a synthetic agent and a configuration for its domain."""

    stack: Stack
    agent: Child
    client: PortalClient
    job: int

    @property
    def dsn(self) -> str:
        """How to reach the database."""
        return installation.dsn(self.stack)

    def usages(self) -> list[Usage]:
        """Every process of the service; the agent is not part of what is measured."""
        return installation.usages(self.stack)

    def everything(self) -> list[Usage]:
        """The same and the agent."""
        return [*self.usages(), *usage.of_tree("agent", self.agent.pid)]

    def cycle(self, action: str) -> Timeline:
        """Start the job and watch the cycle to its end."""
        timeline = Timeline(self.dsn, last_cycle(self.dsn))
        timeline.start()
        self.client.post(f"jobs/{self.job}/{action}/")
        timeline.wait(_PATIENCE_S)
        return timeline


@contextmanager
def bench(pages: Path) -> Iterator[Bench]:
    """A fresh installation whose agent answers with these pages."""
    with installation.fresh_installation() as stack:
        client = stack.client()
        token = stack.directory / "synthetic-token"
        token.touch(mode=0o600)
        token.write_text(client.post("enrolment-tokens/", {"label": "synthetic"})["token"])
        options = ["--portal", stack.agent_url, "--ca-file", str(stack.ca_file)]
        command = [sys.executable, "-m", "bench.synthetic_agent", *options, "--token-file", str(token)]
        log = stack.directory / "log" / "agent.log"
        with Child([*command, "--pages", str(pages)], log, directory=ROOT) as agent:
            wait_for(
                lambda: any(one["state"] == "active" for one in client.all("agents/")),
                "Bootstrap",
                seconds=60,
            )
            job = configure(client, "Synthetic", DOMAIN)["id"]
            yield Bench(stack, agent, client, job)


def initial(pages: Path, population: Population) -> Run:
    """The initial cycle alone."""
    with bench(pages) as one:
        return _initial(one, population)


def everything(pages: Path, population: Population) -> Run:
    """Initial cycle, delta, idle cycles and floors of one population."""
    with bench(pages) as one:
        run = _initial(one, population)
        run.delta = one.cycle("run")
        one.cycle("run")
        run.idle = idle.measure(one.dsn, one.job, one.everything)
        run.reconciled = reconciling.measure(one.dsn, one.client)
        run.usages = one.usages()
        run.floors = {
            "decoding the same bytes": floors.decode_seconds(
                synthetic_pages.pages(pages, synthetic_pages.FULL)
            ),
            **{name: floors.copy_seconds(one.dsn, tables) for name, tables in _WRITTEN.items()},
            "COPY out, what a reconciliation compares": floors.read_seconds(one.dsn, floors.COMPARED),
        }
    return run


def _initial(one: Bench, population: Population) -> Run:
    before = one.usages()
    timeline = one.cycle("start")
    return Run(population, timeline, usage.since(one.usages(), before))


def show(run: Run, small: Run) -> int:
    """Print figures, floors and bounds; returns the exit status."""
    report.say(f"{run.population}; {_describe(run)}; a tenth of it: {_describe(small)}")
    rows = [
        (step, run.initial.seconds.get(step, 0.0), small.initial.seconds.get(step, 0.0)) for step in STEPS
    ]
    report.table("Where the time of the initial cycle goes (seconds)", ("step", "all", "a tenth"), rows)
    report.table("Floors, one after the other", ("what", "seconds"), list(run.floors.items()))
    report.say(
        f"From first page to last export: {run.times_of_copy:.2f} times what COPY of the same rows takes, one after "
        "the other. Where a machine is slow for a while, both are."
    )
    report.processes(run.usages)
    if run.idle:
        idle.show(run.idle)
    return report.verdict(_bounds(run, small))


def _describe(run: Run) -> str:
    return f"{run.initial.from_first_page:.1f} s, {run.microseconds_per_object:.0f} µs an object"


def _bounds(run: Run, small: Run) -> list[Bound]:
    growth = run.microseconds_per_object / small.microseconds_per_object
    peak = max(run.usages, key=lambda one: one.peak_bytes)
    delta = run.delta.of_cycle if run.delta else 0.0
    reconciled = run.reconciled or Reconciled(0.0, 0.0, 0)
    idle_ms = run.idle.milliseconds if run.idle else 0.0
    return [
        Bound("first page to last export", run.initial.from_first_page, MOST_SECONDS, "s"),
        Bound("time per object in times of a tenth's", growth, MOST_GROWTH),
        Bound(f"peak memory ({peak.name})", peak.peak_bytes / MEGABYTE, MOST_MEMORY_MB, "MB"),
        Bound("delta of 1000 changes, start to settled", delta, MOST_DELTA_SECONDS, "s"),
        Bound("processor time of an idle cycle", idle_ms, MOST_IDLE_CPU_MS, "ms"),
        Bound("full reconcile, no drift", reconciled.clean_s, MOST_RECONCILE_SECONDS, "s"),
        Bound(
            f"full reconcile, {reconciled.repaired} differences repaired",
            reconciled.repair_s,
            MOST_RECONCILE_SECONDS,
            "s",
        ),
    ]


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description="The provisioning service fed by a synthetic agent.")
    parser.add_argument("--scale", type=float, default=1.0, help="of 150 000 users")
    scale = parser.parse_args(arguments).scale
    size = Population(*(int(number * scale) for number in (SIZE.users, SIZE.groups, SIZE.memberships)))
    with tempfile.TemporaryDirectory(prefix="bench-pages-") as directory:
        small, large = Path(directory) / "small", Path(directory) / "large"
        synthetic_pages.write(small, size.tenth())
        synthetic_pages.write(large, size)
        return show(everything(large, size), initial(small, size.tenth()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

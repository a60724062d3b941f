"""Initial cycle of a big domain beside ldapsearch: ``python -m bench.initial [--users 20000] [--rounds 3]``."""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import installation, report, usage
from bench.peer import LdapSearch, Reading, server_cpu_seconds
from bench.report import Bound
from bench.timeline import STEPS, Timeline
from bench.usage import MEGABYTE, Usage
from lab.addresses import leased_address
from lab.enrolment import Agent, configure
from lab.forests import prepare
from lab.population import Company
from lab.portal_client import PortalClient, wait_for
from lab.samba import SambaForest
from lab.stack import Stack

USERS: Final = 20_000
MOST_TIMES_LDAPSEARCH: Final = 2.0
MOST_MEMORY_MB: Final = 250
_PATIENCE_S: Final = 600.0


@dataclass(frozen=True)
class Round:
    """One initial cycle into an empty directory, and ldapsearch right after it."""

    timeline: Timeline
    server_cpu_seconds: float
    usages: list[Usage]
    peer: Reading


def big_company(base_dn: str, users: int) -> Company:
    """A company of that many users, a group for every twenty of them, groups of up to 200."""
    return Company(base_dn, users=users, groups=users // 20, contacts=users // 100, biggest_group=200)


@contextmanager
def big_forest(users: int) -> Iterator[SambaForest]:
    """A running forest with a big company; the first call for a size fills it (350 objects a second)."""
    directory = Path(tempfile.mkdtemp(prefix="bench-forest-"))
    with leased_address() as address:
        forest = SambaForest("bench.example", "BENCH", address, directory, backend="mdb")
        try:
            prepare(forest, big_company(forest.base_dn, users))
            with forest:
                yield forest
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def measure(forest: SambaForest, search: LdapSearch) -> Round:
    """One round, on an installation of its own."""
    with installation.fresh_installation() as stack:
        client = stack.client()
        agent = listening_agent(stack, forest, client)
        try:
            job = configure(client, "Initial", forest.dns_name)
            cpu = server_cpu_seconds(forest)
            before = _usages(stack, agent)
            timeline = Timeline(installation.dsn(stack))
            timeline.start()
            client.post(f"jobs/{job['id']}/start/")
            timeline.wait(_PATIENCE_S)
            cpu = server_cpu_seconds(forest) - cpu
            usages = usage.since(_usages(stack, agent), before)
        finally:
            agent.process.stop()
    if timeline.request is None:
        raise LookupError("The request was never seen on the bus.")
    return Round(timeline, cpu, usages, search.read(timeline.request))


def listening_agent(stack: Stack, forest: SambaForest, client: PortalClient) -> Agent:
    """An enrolled agent that has bootstrapped."""
    agent = Agent(stack, forest, stack.directory / "agent")
    agent.enrol(client)
    agent.process.start()
    wait_for(
        lambda: any(one["state"] == "active" for one in client.all("agents/")), "A bootstrap", seconds=60
    )
    return agent


def _usages(stack: Stack, agent: Agent) -> list[Usage]:
    return [*usage.of_tree("agent", agent.process.pid), *installation.usages(stack)]


def show(rounds: Sequence[Round], objects: int) -> int:
    """Print every round and the bounds; returns the exit status."""
    report.table(
        f"{objects} objects, read by ldapsearch and synchronized into an empty directory (seconds)",
        ("round", "ldapsearch", "its DC share", "initial cycle", "its DC share", "ratio"),
        [_row(number, one) for number, one in enumerate(rounds, 1)],
    )
    middle = sorted(rounds, key=lambda one: one.timeline.total)[len(rounds) // 2]
    steps = middle.timeline.seconds
    report.table(
        "Where the time of the middle cycle goes",
        ("step", "seconds"),
        [(step, steps[step]) for step in STEPS if step in steps],
    )
    report.processes(middle.usages)
    return report.verdict(_bounds(rounds))


def _row(number: int, one: Round) -> tuple[object, ...]:
    wall, peer = one.timeline.total, one.peer
    return (
        number,
        peer.seconds,
        f"{peer.server_cpu_seconds / peer.seconds:.0%}",
        wall,
        f"{one.server_cpu_seconds / wall:.0%}",
        wall / peer.seconds,
    )


def _bounds(rounds: Sequence[Round]) -> list[Bound]:
    ratio = statistics.median(one.timeline.total for one in rounds) / statistics.median(
        one.peer.seconds for one in rounds
    )
    return [
        Bound("initial cycle in times of ldapsearch (medians)", ratio, MOST_TIMES_LDAPSEARCH),
        *(Bound(f"peak memory, {name}", most, MOST_MEMORY_MB, "MB") for name, most in _peaks(rounds).items()),
    ]


def _peaks(rounds: Sequence[Round]) -> dict[str, float]:
    peaks: dict[str, float] = {}
    for one in (found for each in rounds for found in each.usages):
        if one.name.startswith(("agent", "worker")):
            peaks[one.name] = max(peaks.get(one.name, 0.0), one.peak_bytes / MEGABYTE)
    return peaks


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description="Initial cycle of a big domain beside ldapsearch.")
    parser.add_argument("--users", type=int, default=USERS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with big_forest(options.users) as forest:
        search = LdapSearch(forest)
        objects = search.count()
        rounds = [measure(forest, search) for _ in range(options.rounds)]
    return show(rounds, objects)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

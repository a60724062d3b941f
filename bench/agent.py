"""The agent alone: a big domain read and posted to a portal that only counts, beside ldapsearch.

``python -m bench.agent [--objects 116000] [--rounds 3]``. The first call for a size fills the domain, at 350
objects a second.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench import report, usage
from bench.initial import big_forest
from bench.peer import LdapSearch, Reading, server_cpu_seconds
from bench.report import Bound
from bench.usage import MEGABYTE
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.agent.serving import serving
from lab.certificates import issue_server_certificate
from lab.samba import SambaForest
from provisioning.engine.mapping import compile_mapping
from provisioning.engine.schema import load
from provisioning.engine.schema.defaults import default_schema
from provisioning_agent.wire.requests import OBJECT_TYPES, ObjectTypeRequest, ReadRequest

OBJECTS: Final = 116_000
MOST_TIMES_LDAPSEARCH: Final = 1.5
MOST_MEMORY_MB: Final = 150
# Of a hundred users there are five groups and one contact (bench.initial.big_company).
_OBJECTS_PER_USER: Final = 1.06
NETBIOS: Final = "BENCH"
_PATIENCE_S: Final = 1800.0
_ALWAYS: Final = frozenset({"objectGUID", "distinguishedName"})


@dataclass(frozen=True)
class Round:
    """One read by the agent and one by ldapsearch."""

    seconds: float
    server_cpu_seconds: float
    peak_bytes: int
    objects: int
    peer: Reading


def default_request(domain: str) -> ReadRequest:
    """An initial read of what the default mapping asks for."""
    rule = load(default_schema(domain_fqdn=domain, domain_netbios=NETBIOS)).rules[0]
    types = [
        ObjectTypeRequest(name, tuple(sorted(compile_mapping(mapping).source_attributes | _ALWAYS)))
        for name in OBJECT_TYPES
        if (mapping := rule.object_mapping(name)) is not None
    ]
    deadline = datetime.now(UTC) + timedelta(seconds=_PATIENCE_S)
    return ReadRequest(domain, tuple(types), "bench", deadline)


def measure(forest: SambaForest, portal: Portal, pid: int, search: LdapSearch) -> Round:
    """One round; the agent first."""
    request = default_request(forest.dns_name)
    cpu, started = server_cpu_seconds(forest), time.perf_counter()
    queued = portal.ask(request)
    if not queued.done.wait(_PATIENCE_S) or queued.failures:
        raise LookupError(f"The agent did not answer: {queued.failures}")
    seconds = time.perf_counter() - started
    cpu = server_cpu_seconds(forest) - cpu
    return Round(seconds, cpu, usage.peak_memory(pid), queued.resources, search.read(request))


@contextmanager
def counting_portal(directory: Path) -> Iterator[Portal]:
    """A portal over HTTPS that takes pages and keeps none."""
    portal = Portal(issue_server_certificate(directory, "portal.test", "127.0.0.1"))
    portal.keeps_pages = False
    with serving(portal):
        yield portal


def show(rounds: Sequence[Round]) -> int:
    """Print every round and the bounds; returns the exit status."""
    report.table(
        f"{rounds[0].objects} resources, read by ldapsearch and by the agent (seconds)",
        ("round", "ldapsearch", "its DC share", "agent", "its DC share", "ratio", "agent peak MB"),
        [_row(number, one) for number, one in enumerate(rounds, 1)],
    )
    ratio = statistics.median(one.seconds for one in rounds) / statistics.median(
        one.peer.seconds for one in rounds
    )
    peak = max(one.peak_bytes for one in rounds) / MEGABYTE
    return report.verdict(
        [
            Bound("agent in times of ldapsearch (medians)", ratio, MOST_TIMES_LDAPSEARCH),
            Bound("peak memory of the agent", peak, MOST_MEMORY_MB, "MB"),
        ]
    )


def _row(number: int, one: Round) -> tuple[object, ...]:
    peer = one.peer
    return (
        number,
        peer.seconds,
        f"{peer.server_cpu_seconds / peer.seconds:.0%}",
        one.seconds,
        f"{one.server_cpu_seconds / one.seconds:.0%}",
        one.seconds / peer.seconds,
        one.peak_bytes / MEGABYTE,
    )


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(description="The agent beside ldapsearch.")
    parser.add_argument("--objects", type=int, default=OBJECTS)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    with (
        big_forest(round(options.objects / _OBJECTS_PER_USER)) as forest,
        tempfile.TemporaryDirectory(prefix="bench-agent-") as folder,
        counting_portal(Path(folder)) as portal,
    ):
        search = LdapSearch(forest)
        search.count()
        host = AgentHost(portal, forest, Path(folder))
        try:
            pid = host.enrolled_and_running().pid
            rounds = [measure(forest, portal, pid, search) for _ in range(options.rounds)]
        finally:
            host.stop_all()
    return show(rounds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

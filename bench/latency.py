"""From a change in Active Directory to its row in the directory: ``python -m bench.latency [--changes 100]``.

The interval of the job is an hour, so whatever arrives was brought by change notification.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Final

import psycopg
from ldap3 import Connection

from bench import installation, report
from bench.initial import big_company, big_forest, listening_agent
from bench.report import Bound
from lab import changes
from lab.enrolment import start_configuration
from lab.portal_client import PortalClient, wait_for
from lab.samba import SambaForest

CHANGES: Final = 100
USERS: Final = 200
# Samba tells listeners within 5 seconds, Windows at once; a cycle takes one or two more.
MOST_P95_S: Final = 10.0
_PATIENCE_S: Final = 60.0
_EVERY_S: Final = 0.01
# Between a change that has arrived and the next: longer than the spacing of notifications, and never in step.
_PAUSE_S: Final = (5.0, 8.0)
_ARRIVED: Final = "SELECT 1 FROM directory_user WHERE attributes->>'JobTitle' = %s"


def measure(forest: SambaForest, count: int) -> list[float]:
    """Seconds of each change, from the answer of the controller to the row."""
    with installation.fresh_installation() as stack:
        client = stack.client()
        agent = listening_agent(stack, forest, client)
        try:
            job = start_configuration(client, "Latency", forest.dns_name)
            wait_for(lambda: _is_in_sync(client, job["id"]), "The first cycle", seconds=_PATIENCE_S)
            with (
                forest.connect() as admin,
                psycopg.connect(installation.dsn(stack), autocommit=True) as database,
            ):
                return [_one(forest, admin, database, number) for number in range(count)]
        finally:
            agent.process.stop()


def _is_in_sync(client: PortalClient, job_id: int) -> bool:
    return client.get(f"jobs/{job_id}/")["last_success_at"] is not None


def _one(forest: SambaForest, admin: Connection, database: psycopg.Connection, number: int) -> float:
    time.sleep(random.uniform(*_PAUSE_S))  # spreads the moments, no secret
    company = big_company(forest.base_dn, USERS)
    title = f"Title {number}"
    changes.set_attribute(admin, company.user_dns[number % len(company.user_dns)], "title", title)
    written = time.monotonic()
    while database.execute(_ARRIVED, (title,)).fetchone() is None:
        if time.monotonic() - written > _PATIENCE_S:
            raise TimeoutError(f"Change {number} did not arrive in {_PATIENCE_S:.0f} s.")
        time.sleep(_EVERY_S)
    return time.monotonic() - written


def show(seconds: Sequence[float]) -> int:
    """Print the figures and the bound; returns the exit status."""
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    report.table(
        f"{len(seconds)} single changes, from Active Directory to the directory (seconds)",
        ("fastest", "p50", "p95", "slowest"),
        [(min(seconds), statistics.median(seconds), cuts[18], max(seconds))],
    )
    return report.verdict([Bound("p95", cuts[18], MOST_P95_S, "s")])


def main(arguments: list[str]) -> int:
    """Measure and print; 1 when the bound is missed."""
    parser = argparse.ArgumentParser(description="From a change in Active Directory to the directory.")
    parser.add_argument("--changes", type=int, default=CHANGES)
    options = parser.parse_args(arguments)
    with big_forest(USERS) as forest:
        return show(measure(forest, options.changes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

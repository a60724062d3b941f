"""Initial read of a big domain: ``python -m bench.initial [--users 20000]``; prints one JSON object."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.attributes import GROUP_ATTRIBUTES, USER_ATTRIBUTES
from bench.peer import Reading, read_with_ldapsearch, server_memory
from lab.addresses import leased_address
from lab.forests import prepare
from lab.population import Company
from lab.samba import SambaForest

USERS = 20_000
PEOPLE = "(&(objectCategory=person)(objectClass=user))"
GROUPS = "(objectClass=group)"


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


def measure(forest: SambaForest) -> dict[str, object]:
    """ldapsearch's readings of people and groups, and what they cost the domain controller."""
    account = forest.account("isthmus-agent")
    people = read_with_ldapsearch(forest, account, PEOPLE, USER_ATTRIBUTES)
    groups = read_with_ldapsearch(forest, account, GROUPS, GROUP_ATTRIBUTES)
    return {
        "ldapsearch": {"people": _report(people), "groups": _report(groups)},
        "server_memory_mb": round(server_memory(forest) / 1e6),
    }


def main(arguments: list[str]) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description="Initial read of a big domain.")
    parser.add_argument("--users", type=int, default=USERS)
    users = parser.parse_args(arguments).users
    with big_forest(users) as forest:
        print(json.dumps({"users": users, **measure(forest)}, indent=2))
    return 0


def _report(reading: Reading) -> dict[str, float]:
    return {
        "objects": reading.objects,
        "seconds": round(reading.seconds, 2),
        "objects_per_second": round(reading.rate),
        "server_cpu_seconds": round(reading.server_cpu_seconds, 2),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

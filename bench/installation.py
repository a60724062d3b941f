"""A fresh installation for one measurement, and what its processes cost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import usage
from bench.usage import Usage
from lab.stack import Stack, running
from portal.embedded import DATABASE, SUPERUSER

# Long enough that no second cycle starts while one is measured.
_QUIET_INTERVAL_S = "3600"


@contextmanager
def fresh_installation(**settings: str) -> Iterator[Stack]:
    """Portal, listener, worker and beat on an empty database; removed at the end."""
    # Not below a private folder: the embedded server runs as another account and has to get through.
    directory = Path(tempfile.mkdtemp(prefix="isthmus-bench-"))
    try:
        with running(Stack(directory, {"ISTHMUS_CYCLE_INTERVAL": _QUIET_INTERVAL_S, **settings})) as stack:
            yield stack
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def dsn(stack: Stack) -> str:
    """How to reach the installation's database."""
    return f"host={_postmaster(stack)[4]} user={SUPERUSER} dbname={DATABASE}"


def usages(stack: Stack) -> list[Usage]:
    """Every process of ours and, as one line, PostgreSQL."""
    ours = [
        one for name, child in stack.children.items() if name != "postgres" for one in _of(name, child.pid)
    ]
    return [*ours, usage.of_database(int(_postmaster(stack)[0]))]


def _of(name: str, pid: int) -> list[Usage]:
    return usage.of_tree(name, pid)


def _postmaster(stack: Stack) -> list[str]:
    return (stack.directory / "postgres" / "postmaster.pid").read_text().splitlines()

"""What processes cost: processor seconds, and the most memory each of them ever had."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psutil

MEGABYTE = 1e6
# A process that ends while it is looked at is met in one of these ways.
_ENDED: Final = (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError)


@dataclass(frozen=True)
class Usage:
    """One process: processor seconds so far (user and system, ended children too) and peak resident bytes."""

    name: str
    cpu_seconds: float
    peak_bytes: int


def of_tree(name: str, pid: int) -> list[Usage]:
    """A process and its live descendants; ``name`` numbers the descendants."""
    root = psutil.Process(pid)
    named = [(name, root), *((f"{name} {n}", one) for n, one in enumerate(root.children(recursive=True), 1))]
    usages = []
    for label, process in named:
        with suppress(*_ENDED):
            usages.append(Usage(label, cpu_seconds(process), peak_memory(process.pid)))
    return usages


def of_database(pid: int) -> Usage:
    """PostgreSQL as one line: processor seconds of all backends, ended ones too; memory beside the shared one."""
    root = psutil.Process(pid)
    seconds, memory = 0.0, 0
    # The first of them last: it knows what those have used that end meanwhile.
    for process in (*root.children(recursive=True), root):
        with suppress(*_ENDED):
            memory = max(memory, _private_memory(process.pid))
            seconds += cpu_seconds(process)
    return Usage("postgres", seconds, memory)


def since(after: Iterable[Usage], before: Iterable[Usage]) -> list[Usage]:
    """The same processes with the processor seconds they used in between."""
    earlier = {one.name: one.cpu_seconds for one in before}
    return [replace(one, cpu_seconds=one.cpu_seconds - earlier.get(one.name, 0.0)) for one in after]


def cpu_seconds(process: psutil.Process) -> float:
    """Processor time a process has used so far, user and system, with that of its children that have ended."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def total_cpu(usages: Iterable[Usage]) -> float:
    """Processor seconds of all of them."""
    return sum(one.cpu_seconds for one in usages)


def peak_memory(pid: int) -> int:
    """Peak resident bytes, as the kernel kept it (proc_pid_status(5), VmHWM)."""
    return _status(pid, "VmHWM")


def _private_memory(pid: int) -> int:
    """Resident bytes of its own: shared buffers would be counted once for each backend."""
    return _status(pid, "RssAnon")


def _status(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    return 0

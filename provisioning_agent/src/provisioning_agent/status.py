"""What a running agent last did: kept in a file for ``isthmus-agent status``, sent along with each bootstrap."""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson

from .errors import AgentError
from .files import write_private

log = logging.getLogger(__name__)

_FILE: Final = "status.json"
_ERRORS_KEPT: Final = 10


@dataclass(slots=True)
class Status:
    """Times are ISO-8601 UTC; counters run since the agent started."""

    pid: int = 0
    started_at: str = ""
    last_bootstrap_at: str = ""
    consecutive_failures: int = 0
    counters: dict[str, int] = field(default_factory=dict)
    last_errors: list[dict[str, str]] = field(default_factory=list)


class StatusBook:
    """The status of this process; every change is on disk when the method returns. Safe for all threads."""

    def __init__(self, state: Path) -> None:
        self._path = state / _FILE
        self._lock = threading.Lock()
        self._status = Status()

    def started(self, pid: int, now: datetime) -> None:
        """A new run begins; errors of the run before are kept for whoever looks."""
        with self._lock:
            before = read(self._path.parent)
            self._status = Status(pid, iso(now), last_errors=before.last_errors if before else [])
            self._save()

    def bootstrapped(self, now: datetime) -> None:
        """The portal answered."""
        with self._lock:
            self._status.last_bootstrap_at = iso(now)
            if self._status.consecutive_failures:
                self._add({"reconnects": 1})
            self._status.consecutive_failures = 0
            self._save()

    def bootstrap_failed(self, code: str, now: datetime) -> None:
        """The portal did not answer, or refused."""
        with self._lock:
            self._status.consecutive_failures += 1
            self._note(code, now)
            self._save()

    def failed(self, code: str, now: datetime) -> None:
        """A request was not answered."""
        with self._lock:
            self._add({"failures": 1})
            self._note(code, now)
            self._save()

    def noted(self, code: str, now: datetime) -> None:
        """Something failed that was no request."""
        with self._lock:
            self._note(code, now)
            self._save()

    def count(self, **numbers: int) -> None:
        """Add to counters."""
        with self._lock:
            self._add(numbers)
            self._save()

    def report(self) -> dict[str, Any]:
        """The part of a bootstrap that tells how this agent is doing."""
        with self._lock:
            return {
                "counters": dict(self._status.counters),
                "lastErrors": list(self._status.last_errors),
                "consecutiveFailures": self._status.consecutive_failures,
            }

    def _add(self, numbers: dict[str, int]) -> None:
        counters = self._status.counters
        for name, number in numbers.items():
            counters[name] = counters.get(name, 0) + number

    def _note(self, code: str, now: datetime) -> None:
        self._status.last_errors = [*self._status.last_errors, {"code": code, "at": iso(now)}][-_ERRORS_KEPT:]

    def _save(self) -> None:
        try:
            write_private(self._path, orjson.dumps(asdict(self._status)))
        except AgentError as error:
            # A full disk must not keep the agent from answering.
            log.warning("event=status-not-written code=%s", error.code)


def read(state: Path) -> Status | None:
    """The last written status, None if there is none to be read."""
    try:
        return Status(**orjson.loads((state / _FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def iso(moment: datetime) -> str:
    """ISO-8601 in UTC, whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

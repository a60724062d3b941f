"""When a cycle reached which step, watched from beside in the tables that the steps themselves keep."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg

from lab.errors import LabError
from provisioning_agent.wire.requests import ReadRequest

_LOOK: Final = """
SELECT c.step, c.export_phase, c.pages_read, r.state, r.pages_in, r.body, c.error_code
  FROM provisioning_cycle c LEFT JOIN agents_busrequest r ON r.id = c.request_id
 WHERE c.id > %s ORDER BY c.id LIMIT 1
"""
_EVERY_S: Final = 0.05
_PHASES: Final = {1: "objects", 2: "references", 3: "memberships", 4: "deletions"}
ENDED: Final = ("done", "failed", "held")
# In the order in which a cycle passes them.
STEPS: Final = (
    "waiting for beat",
    "until the first page",
    "reading",
    "ingest behind the reading",
    "plan",
    *(f"export {phase}" for phase in _PHASES.values()),
    "settle",
)


@dataclass
class Timeline:
    """Watches the first cycle after ``after``, a cycle id, from ``start`` until it has ended.

    ``seconds`` holds how long each step took, on the clock of whoever watches (50 ms).
    """

    dsn: str
    after: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    request: ReadRequest | None = None
    outcome: str = ""
    _started: float = 0.0
    _ended: float = 0.0

    def start(self) -> None:
        """Begin to watch."""
        self._started = time.perf_counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait for the cycle's end; LabError if it did not end well or in time."""
        self._thread.join(seconds)
        if self._thread.is_alive() or self.outcome != "done":
            raise LabError("LabTimeout", f"The cycle is {self.outcome or 'not over'} after {seconds:.0f} s.")

    @property
    def total(self) -> float:
        """Seconds from the start to the cycle's end."""
        return self._ended - self._started

    @property
    def from_first_page(self) -> float:
        """Seconds from the first page on the bus to the end of the last export."""
        return sum(self.seconds.get(step, 0.0) for step in STEPS[2:-1])

    @property
    def of_cycle(self) -> float:
        """Seconds from the cycle's start, when the request goes onto the bus, to its end."""
        return self.total - self.seconds.get(STEPS[0], 0.0)

    def _watch(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            last, since = STEPS[0], self._started
            while True:
                row = connection.execute(_LOOK, [self.after]).fetchone()
                now = time.perf_counter()
                self._take_request(row)
                self.outcome = _outcome(row)
                current = _step(row)
                if current != last or self.outcome in ENDED:
                    self.seconds[last] = self.seconds.get(last, 0.0) + now - since
                    last, since = current, now
                if self.outcome in ENDED:
                    self._ended = now
                    return
                time.sleep(_EVERY_S)

    def _take_request(self, row: tuple[Any, ...] | None) -> None:
        if self.request is None and row is not None and row[5]:
            self.request = ReadRequest.from_dict(row[5])


def last_cycle(dsn: str) -> int:
    """The id of the latest cycle, 0 before the first."""
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT coalesce(max(id), 0) FROM provisioning_cycle").fetchone()
        return int(row[0]) if row else 0


def _outcome(row: tuple[Any, ...] | None) -> str:
    return str(row[0]) if row is not None and row[0] in ENDED else ""


def _step(row: tuple[Any, ...] | None) -> str:
    if row is None:
        return STEPS[0]
    step, phase, _, request_state, pages_in, _, _ = row
    if step == "reading":
        if request_state == "answered":
            return "ingest behind the reading"
        return "reading" if pages_in else STEPS[1]
    if step == "exporting":
        return f"export {_PHASES.get(phase, 'objects')}"
    return "plan" if step == "planning" else "settle"

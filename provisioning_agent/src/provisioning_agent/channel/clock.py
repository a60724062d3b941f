"""The seam for time: what it is, and how to wait for it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event or the time; True if it was the event."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Wait until the event or the time; True if it was the event."""
        return event.wait(seconds)

"""Waiting for something that another process does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(happened: Callable[[], bool], seconds: float = 30) -> None:
    """Return as soon as it happened."""
    ends_at = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < ends_at, "It did not happen."
        time.sleep(0.05)


def until_stays(holds: Callable[[], bool], seconds: float = 0.5) -> None:
    """Return after it held for a while."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        assert holds(), "It no longer holds."
        time.sleep(0.05)

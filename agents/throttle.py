"""How often one address may call, counted in this process: a portal of several processes allows as many times more."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from provisioning_agent.wire.errors import WireError

# Beyond that many addresses at once everybody shares one count.
_MOST_ADDRESSES: Final = 10_000


class Throttle:
    """``limit`` calls in ``window_s`` seconds from each address."""

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window_s, self._clock = limit, window_s, clock
        self._lock = threading.Lock()
        self._calls: dict[str, deque[float]] = {}

    def admit(self, address: str | None) -> None:
        """Count one call; ``TooManyRequests``, with the seconds to wait, where it is one too many."""
        now = self._clock()
        with self._lock:
            if len(self._calls) >= _MOST_ADDRESSES:
                self._forget(now)
            key = (address or "") if len(self._calls) < _MOST_ADDRESSES else ""
            calls = self._calls.setdefault(key, deque())
            self._drop(calls, now)
            if len(calls) >= self._limit:
                error = WireError("TooManyRequests")
                error.retry_after = calls[0] + self._window_s - now
                raise error
            calls.append(now)

    def _forget(self, now: float) -> None:
        for address, calls in list(self._calls.items()):
            self._drop(calls, now)
            if not calls:
                del self._calls[address]

    def _drop(self, calls: deque[float], now: float) -> None:
        while calls and calls[0] <= now - self._window_s:
            calls.popleft()

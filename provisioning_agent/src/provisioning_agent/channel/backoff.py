"""How long to wait after a failure: capped exponential with full jitter."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

BASE_S: Final = 1.0
CAP_S: Final = 120.0


class Backoff:
    """Grows with each failure, starts again after a success; ``chance`` gives numbers from 0 to 1."""

    def __init__(
        self, base: float = BASE_S, cap: float = CAP_S, chance: Callable[[], float] = random.random
    ) -> None:
        self._base, self._cap, self._chance = base, cap, chance
        self._failures = 0

    @property
    def failures(self) -> int:
        """How often it failed since it last went well."""
        return self._failures

    def failed(self, at_least: float | None = None) -> float:
        """Seconds to wait now: anything up to the doubled limit, so that a crowd does not return at once.

        ``at_least`` is what the other side asked for; the jitter is then added to it.
        """
        limit = min(self._cap, self._base * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return (at_least or 0.0) + limit * self._chance()

    def succeeded(self) -> None:
        """The next failure waits briefly again."""
        self._failures = 0

"""The delete guard: looks at a plan before anything of it is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """With a threshold of N at most N−1 deletions and disables pass in one cycle (entra-cycle: default 500)."""

    enabled: bool
    threshold: int


@dataclass(frozen=True, slots=True)
class Removals:
    """What a plan takes away."""

    deletions: int
    disables: int

    @property
    def total(self) -> int:
        """Deletions and disables together, as the threshold counts them."""
        return self.deletions + self.disables


def holds(removals: Removals, settings: GuardSettings, *, allowed_by_person: bool) -> bool:
    """Whether the cycle has to wait for a person before it writes anything."""
    if allowed_by_person or not settings.enabled:
        return False
    return removals.total >= settings.threshold

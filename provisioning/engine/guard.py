"""The delete guard: looks at a plan before anything of it is written.

It counts removals of all objects together, of each object type, and of memberships; creations, restores and
additions never count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

# What limits can be set for, besides the threshold over all objects.
OBJECT_KINDS: Final = ("user", "group", "contact")
MEMBERSHIP: Final = "membership"
KINDS: Final = (*OBJECT_KINDS, MEMBERSHIP)


@dataclass(frozen=True, slots=True)
class Limit:
    """At ``number`` removals, or at ``percent`` of what is in the target, the cycle is held; None is no limit."""

    number: int | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """With a threshold of N at most N−1 deletions and disables pass in one cycle (entra-cycle: default 500)."""

    enabled: bool
    threshold: int
    limits: Mapping[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Removals:
    """What a plan takes away: objects in all, and by kind; ``present`` is how many of a kind the target holds."""

    deletions: int
    disables: int
    by_kind: Mapping[str, int] = field(default_factory=dict)
    present: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Deletions and disables together, as the threshold counts them."""
        return self.deletions + self.disables

    @property
    def memberships(self) -> int:
        """Memberships that go although both ends stay."""
        return self.by_kind.get(MEMBERSHIP, 0)


def breaches(removals: Removals, settings: GuardSettings) -> list[str]:
    """Every limit that the plan reaches, each as a clause to be read by a person."""
    return list(_breaches(removals, settings)) if settings.enabled else []


def holds(removals: Removals, settings: GuardSettings, *, allowed_by_person: bool) -> bool:
    """Whether the cycle has to wait for a person before it writes anything."""
    return not allowed_by_person and bool(breaches(removals, settings))


def _breaches(removals: Removals, settings: GuardSettings) -> Iterator[str]:
    if removals.total >= settings.threshold:
        yield f"{removals.total} objects, where the threshold is {settings.threshold}"
    for kind, limit in settings.limits.items():
        removed = removals.by_kind.get(kind, 0)
        if removed and limit.number is not None and removed >= limit.number:
            yield f"{removed} {kind}s, where the threshold is {limit.number}"
        present = removals.present.get(kind, 0)
        if removed and limit.percent is not None and removed * 100 >= limit.percent * present:
            yield f"{removed} of {present} {kind}s, where the threshold is {limit.percent} %"

"""Hints: messages that say "step so-and-so of this cycle can go on". A lost hint costs time, never data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """The steps that a hint can ask for."""

    INGEST = "ingest"
    RECONCILE = "reconcile"
    PLAN = "plan"
    EXPORT = "export"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Hint:
    """Run ``step`` for ``cycle``; an export names its phase and batch."""

    step: Step
    cycle: int
    phase: int = 0
    batch: int = 0

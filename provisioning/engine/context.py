"""What an evaluation may know besides the object's attributes; all of it is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """Time, randomness and tenant facts of one evaluation.

    now is an aware UTC moment; random must be a cryptographic source (random.SystemRandom) in
    production; is_unique(target attribute, value) asks the target, and None means "not asked".
    """

    now: datetime
    random: Random
    default_domain: str | None = None
    is_unique: Callable[[str, str], bool] | None = None
    strip_unlisted_diacritics: bool = False

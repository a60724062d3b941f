"""Waiting for what other processes do: one look after the other, for as long as somebody has the patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

# A person waits for the answer, and each look is one short statement.
_LOOK_EVERY_S: Final = 0.03


def until(look: Callable[[], T | None], seconds: float) -> T | None:
    """The first thing that ``look`` finds; None when ``seconds`` have passed. It looks once at least."""
    ends_at = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < ends_at:
        time.sleep(_LOOK_EVERY_S)
    return found

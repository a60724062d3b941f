"""How often Python looks for cycles of objects nobody refers to any more (``gc``).

A page becomes tens of thousands of lists and objects that live for milliseconds and are in no cycle. With Python's own
thresholds each page had all of them looked at, and everything that was imported as well: a tenth of the processor
time of an initial cycle.
"""

from __future__ import annotations

import gc
from typing import Final

# More than a page has, so that most pages come and go unseen. Cycles that wait for it are a few megabytes at most.
_NEW_OBJECTS: Final = 50_000


def collect_seldom() -> None:
    """Leave what is there by now out of all collections, and begin one only after many new objects."""
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])

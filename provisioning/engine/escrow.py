"""When an object that failed is tried again (entra-cycle §7: +6 h, +12 h, +24 h, then daily, 28 days in all)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

FIRST_RETRIES: Final = (timedelta(hours=6), timedelta(hours=12), timedelta(hours=24))
DAILY: Final = timedelta(hours=24)
GIVEN_UP_AFTER: Final = timedelta(days=28)


def next_retry(first_failed_at: datetime, attempts: int) -> datetime | None:
    """The moment of the next try after ``attempts`` failures (from 1); None when it is given up.

    An object that changes in AD meanwhile does not wait for it.
    """
    if attempts <= len(FIRST_RETRIES):
        return first_failed_at + FIRST_RETRIES[attempts - 1]
    later = FIRST_RETRIES[-1] + DAILY * (attempts - len(FIRST_RETRIES))
    return first_failed_at + later if later <= GIVEN_UP_AFTER else None

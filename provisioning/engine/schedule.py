"""When a job runs next."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

# Quarantine stretches the interval step by step up to once a day (entra-cycle §2, §7).
QUARANTINE_LIMIT_S = 86_400


def phase_of(identifier: bytes, interval_s: int) -> int:
    """A job's own second inside the interval, spread evenly over jobs so that they do not start at once."""
    digest = hashlib.blake2b(identifier, digest_size=8).digest()
    return int.from_bytes(digest, "big") % interval_s


def next_run(after: datetime, interval_s: int, phase_s: int) -> datetime:
    """The first moment later than ``after`` that lies ``phase_s`` into the interval (epoch-aligned)."""
    epoch = int(after.timestamp())
    slot = (epoch - phase_s) // interval_s + 1
    return datetime.fromtimestamp(slot * interval_s + phase_s, UTC)


def next_quarantined_run(after: datetime, interval_s: int, failures_in_a_row: int) -> datetime:
    """Twice the interval for each failure in a row, up to once a day."""
    doubled = interval_s * 2 ** min(failures_in_a_row, 20)
    return after + timedelta(seconds=min(doubled, QUARANTINE_LIMIT_S))

"""Advisory locks: one worker at a time on a cycle or a batch; the loser leaves at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from provisioning.store import waiting

# Class ids of our advisory locks, so that a cycle and a batch with the same number do not meet.
_CYCLE = 0x1517
_BATCH = 0x1518
_REFERENCES = 0x1519
# As the two-key advisory locks are shown (PostgreSQL manual, pg_locks).
_FREE = """
SELECT id FROM provisioning_cycle
 WHERE request_id = %s
   AND NOT EXISTS (SELECT FROM pg_locks
                    WHERE locktype = 'advisory' AND granted
                      AND classid = %s AND objid::bigint = id & %s AND objsubid = 2
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_LOW_BITS = 0x7FFF_FFFF


@contextmanager
def cycle_lock(cycle_id: int, wait_s: float = 0.0) -> Iterator[bool]:
    """Whether this process now owns the cycle. Held by the session: a killed worker lets go at once.

    ``wait_s`` is how long it tries, in seconds.
    """
    owned = waiting.until(lambda: _try_lock(cycle_id) or None, wait_s) is not None
    try:
        yield owned
    finally:
        if owned:
            _unlock(cycle_id)


def free_cycle_of(request: UUID) -> int | None:
    """The cycle that awaits the answer to a request, unless a process owns it; asking keeps nobody from owning it."""
    with connection.cursor() as cursor:
        cursor.execute(_FREE, [request, _CYCLE, _LOW_BITS])
        row = cursor.fetchone()
    return int(row[0]) if row is not None else None


def lock_batch(cycle_id: int, phase: int, batch: int) -> bool:
    """Whether this transaction now owns the batch; released at its end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_BATCH, f"{cycle_id}/{phase}/{batch}"]
        )
        return bool(cursor.fetchone()[0])


def lock_references(target: int) -> None:
    """Wait until no other transaction looks for what is missing in a target; released at the transaction's end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_REFERENCES, _key(target)])


def _try_lock(cycle_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_CYCLE, _key(cycle_id)])
        return bool(cursor.fetchone()[0])


def _unlock(cycle_id: int) -> None:
    # After a lost connection there is nothing to unlock: the server let go when the session ended.
    if connection.connection is None or connection.connection.closed:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_CYCLE, _key(cycle_id)])


def _key(cycle_id: int) -> int:
    """Two-key advisory locks take 32-bit integers; ids wrap after two thousand million cycles."""
    return cycle_id & _LOW_BITS

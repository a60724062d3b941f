"""Keeping account of objects that failed, set-based; reads the staged outcomes of a batch or a failed plan."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

from provisioning.engine.escrow import DAILY, FIRST_RETRIES, GIVEN_UP_AFTER
from provisioning.store.outcomes import Counts

# The SQL face of engine.escrow.next_retry; a test holds the two against each other.
_RETRY_AT = """CASE WHEN {attempts} <= %(firsts)s
                    THEN {first} + (%(first_waits)s::interval[])[{attempts}]
                    WHEN %(last_wait)s + ({attempts} - %(firsts)s) * %(daily)s <= %(limit)s
                    THEN {first} + %(last_wait)s + ({attempts} - %(firsts)s) * %(daily)s END"""
_COLUMNS = """source_id, configuration_id, error_code, error_detail, first_failed_at, last_failed_at, attempts,
              retry_at, wanted_hash, was_wanted"""
_UPSERT = f"""
INSERT INTO provisioning_escrow AS e ({_COLUMNS})
SELECT o.id, o.configuration_id, f.error_code, f.error_detail, %(now)s, %(now)s, 1,
       {_RETRY_AT.format(attempts="1", first="%(now)s")}, o.wanted_hash, o.in_scope AND NOT o.is_gone
  FROM ({{failures}}) f JOIN provisioning_sourceobject o ON o.id = f.source_id
ON CONFLICT (source_id) DO UPDATE SET
    error_code = excluded.error_code, error_detail = excluded.error_detail, last_failed_at = %(now)s,
    attempts = CASE WHEN {{same}} THEN e.attempts + 1 ELSE 1 END,
    first_failed_at = CASE WHEN {{same}} THEN e.first_failed_at ELSE %(now)s END,
    retry_at = CASE WHEN {{same}} THEN {_RETRY_AT.format(attempts="(e.attempts + 1)", first="e.first_failed_at")}
                    ELSE excluded.retry_at END,
    wanted_hash = excluded.wanted_hash, was_wanted = excluded.was_wanted
"""  # noqa: S608 — built from constants only
_SAME = "e.wanted_hash = excluded.wanted_hash AND e.was_wanted = excluded.was_wanted"
_OF_OUTCOMES = """SELECT source_id, error_code, error_detail FROM staged_outcome WHERE error_code <> ''"""
_OF_PLAN = """SELECT source_id, error_code, error_detail
                FROM provisioning_change WHERE cycle_id = %(cycle)s AND status = 'failed'"""
_RELEASE = """
DELETE FROM provisioning_escrow e USING staged_outcome s WHERE s.error_code = '' AND e.source_id = s.source_id
"""
_RELEASE_CLEAN = """
DELETE FROM provisioning_escrow e USING provisioning_sourceobject o
 WHERE e.configuration_id = %s AND o.id = e.source_id AND NOT o.is_dirty
"""


def keep_outcomes(cursor: Any, counts: Counts, now: datetime) -> None:
    """Failures of the staged outcomes go into escrow, what succeeded leaves it."""
    cursor.execute(_RELEASE)
    if counts.failed:
        cursor.execute(_UPSERT.format(failures=_OF_OUTCOMES, same=_SAME), _parameters(now))


def keep_failed_plan(cycle: int, now: datetime) -> None:
    """Objects whose mapping failed go into escrow."""
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT.format(failures=_OF_PLAN, same=_SAME), {**_parameters(now), "cycle": cycle})


def release_clean(configuration: Any) -> None:
    """Objects that need nothing any more leave escrow."""
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE_CLEAN, [configuration])


def _parameters(now: datetime) -> dict[str, Any]:
    return {
        "now": now,
        "firsts": len(FIRST_RETRIES),
        "first_waits": list(FIRST_RETRIES),
        "last_wait": FIRST_RETRIES[-1],
        "daily": DAILY,
        "limit": GIVEN_UP_AFTER,
    }

"""The staged outcomes of a batch: a table of this session that bookkeeping, log and escrow read.

A creation is staged with all that is written of it and the outcome that nearly all have; what the target says
otherwise is noted over it. Outcomes of other changes are added once the target has answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from provisioning.store.outbound import Outcome

TABLE: Final = "staged_outcome"
# The last five columns are filled for creations alone.
_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged_outcome (
    change_id bigint, target_id text, error_code text, error_detail text, reference_guids jsonb,
    object_type smallint, object_id uuid, anchor text, document jsonb, references_found jsonb
) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
TRUNCATE staged_outcome
"""
_STAGE = "COPY staged_outcome (change_id, target_id, error_code, error_detail, reference_guids) FROM STDIN"
_NOTE = """
UPDATE staged_outcome s
   SET target_id = n.target_id, error_code = n.error_code, error_detail = n.error_detail,
       document = jsonb_strip_nulls(s.document || coalesce(n.held::jsonb, '{}'))
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS n (change_id, target_id, error_code, error_detail, held)
 WHERE s.change_id = n.change_id
"""
# A table without statistics is taken for a big one, and joined by reading all changes of all cycles.
_TELL_SIZE = "ANALYZE staged_outcome (change_id)"
_COUNT = """
SELECT count(*) FILTER (WHERE error_code = ''), count(*) FILTER (WHERE error_code <> '') FROM staged_outcome
"""


def clear(cursor: Any) -> None:
    """Begin a batch: an empty table."""
    cursor.execute(_STAGING)


def add(cursor: Any, outcomes: Sequence[Outcome]) -> None:
    """COPY outcomes of changes that are not staged yet."""
    if not outcomes:
        return
    with cursor.copy(_STAGE) as copy:
        for one in outcomes:
            copy.write_row((one.change_id, one.target_id, one.error_code, one.error_detail, "{}"))


def complete(cursor: Any) -> None:
    """Every outcome is there: what follows reads and joins them."""
    cursor.execute(_TELL_SIZE)


def note(cursor: Any, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes over those of staged creations."""
    if not outcomes:
        return
    columns = zip(
        *((one.change_id, one.target_id, one.error_code, one.error_detail, one.held) for one in outcomes),
        strict=True,
    )
    cursor.execute(_NOTE, [list(column) for column in columns])


def count(cursor: Any) -> tuple[int, int]:
    """How many were applied and how many failed."""
    cursor.execute(_COUNT)
    applied, failed = cursor.fetchone()
    return int(applied), int(failed)

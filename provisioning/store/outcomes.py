"""The staged outcomes of a batch: a table of this session that bookkeeping, log and escrow read.

A creation is staged with all that is written of it and the outcome that nearly all have; what the target says
otherwise is noted over it. Outcomes of other changes are added once the target has answered, and find in the change
table what else is known of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from provisioning.store.batches import Batch
from provisioning.store.outbound import Outcome

TABLE: Final = "staged_outcome"
# From object_type on filled for creations alone: an object_id makes a row a creation. is_marked says that its source
# object is marked for the next plan otherwise than it has to be once it is created.
_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged_outcome (
    change_id bigint, source_id bigint, target_id text, error_code text, error_detail text, reference_guids jsonb,
    object_type smallint, object_id uuid, anchor text, document jsonb, references_found jsonb,
    wanted_hash bytea, source_guid uuid, source_name text, is_marked boolean
) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
TRUNCATE staged_outcome
"""
_STAGE = "COPY staged_outcome (change_id, target_id, error_code, error_detail, reference_guids) FROM STDIN"
# A condition on staged outcomes s and changes c. The batch is named for the sake of its index: the planner would read
# all changes of all cycles up to those that are looked for.
OF_BATCH: Final = """c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s
   AND c.id = s.change_id"""
_FIND = f"""
UPDATE staged_outcome s SET source_id = c.source_id
  FROM provisioning_change c WHERE {OF_BATCH} AND s.source_id IS NULL
"""  # noqa: S608 — built from constants only
_NOTE = """
UPDATE staged_outcome s
   SET target_id = n.target_id, error_code = n.error_code, error_detail = n.error_detail,
       document = jsonb_strip_nulls(s.document || coalesce(n.held::jsonb, '{}'))
  FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
       AS n (change_id, target_id, error_code, error_detail, held)
 WHERE s.change_id = n.change_id
"""
# A table without statistics is taken for a bigger one than this is.
_TELL_SIZE = "ANALYZE staged_outcome (change_id, error_code, is_marked)"
_COUNT = """
SELECT count(*) FILTER (WHERE error_code = ''), count(*) FILTER (WHERE error_code <> ''),
       count(*) FILTER (WHERE object_id IS NOT NULL), count(*) FILTER (WHERE object_id IS NULL),
       count(*) FILTER (WHERE is_marked)
  FROM staged_outcome
"""


class Counts(NamedTuple):
    """What is staged: by outcome, by kind, and how many created objects are marked otherwise than they have to be."""

    applied: int
    failed: int
    creations: int
    others: int
    marked: int


def clear(cursor: Any) -> None:
    """Begin a batch: an empty table."""
    cursor.execute(_STAGING)


def add(cursor: Any, batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """COPY outcomes of changes of the batch that are not staged yet."""
    if not outcomes:
        return
    with cursor.copy(_STAGE) as copy:
        for one in outcomes:
            copy.write_row((one.change_id, one.target_id, one.error_code, one.error_detail, "{}"))
    cursor.execute(_TELL_SIZE)
    cursor.execute(_FIND, batch.parameters())


def note(cursor: Any, outcomes: Sequence[Outcome]) -> None:
    """Write outcomes over those of staged creations."""
    columns = zip(
        *((one.change_id, one.target_id, one.error_code, one.error_detail, one.held) for one in outcomes),
        strict=True,
    )
    cursor.execute(_NOTE, [list(column) for column in columns])


def count(cursor: Any) -> Counts:
    """What there is of each kind."""
    cursor.execute(_COUNT)
    counts = Counts(*cursor.fetchone())
    if counts.failed or counts.marked:
        # Statements follow that look for these: all source objects would be read for what is thought to be many.
        cursor.execute(_TELL_SIZE)
    return counts

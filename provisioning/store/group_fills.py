"""Members of groups that a cycle has created, staged and recorded as sets: there is nothing to compare them with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from provisioning.models import ObjectType
from provisioning.store import written_members
from provisioning.store.member_sets import SET_SIZE
from provisioning.store.outbound import MembershipChange, Outcome

TABLE: Final = "staged_fill"
# Nothing is compressed, and rows of some kilobytes are kept whole: that would take longer than everything else.
_STAGING: Final = """
CREATE TEMP TABLE IF NOT EXISTS staged_fill (
    number bigint, group_source bigint, member_sources bigint[], group_id text, member_kind smallint, member_ids text[],
    by_id boolean
) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
ALTER TABLE staged_fill ALTER COLUMN member_sources SET STORAGE EXTERNAL,
      ALTER COLUMN member_ids SET STORAGE EXTERNAL;
TRUNCATE staged_fill
"""
_COUNT: Final = """
SELECT coalesce(sum(cardinality(members)), 0) FROM provisioning_groupfill
 WHERE cycle_id = %(cycle)s AND batch = %(batch)s
"""
# Arrays have no statistics: their elements are taken for the same few over and over, which a memory would know.
_TELL_ARRAYS: Final = "SET LOCAL enable_memoize = off"
# Joined, not looked up: a batch is big. By id, in the log, where all are objects of one configuration: it forgets
# them together.
_STAGE: Final = f"""
INSERT INTO staged_fill
SELECT row_number() OVER (ORDER BY group_source), * FROM (
    SELECT f.group_id AS group_source, array_agg(m.id), g.target_id, f.member_type, array_agg(o.target_id),
           bool_and(o.configuration_id = g.configuration_id)
      FROM provisioning_groupfill f
      JOIN provisioning_link g ON g.source_id = f.group_id AND g.state = 'active'
     CROSS JOIN LATERAL unnest(f.members) WITH ORDINALITY AS m (id, place)
      JOIN provisioning_link o ON o.source_id = m.id AND o.state = 'active'
     WHERE f.cycle_id = %(cycle)s AND f.batch = %(batch)s
     GROUP BY f.group_id, f.member_type, g.target_id, (m.place - 1) / {SET_SIZE}) AS sets
"""  # noqa: S608 — built from constants only
_STAGED: Final = "SELECT coalesce(sum(cardinality(member_sources)), 0) FROM staged_fill"
# Those that could not be staged, because an end of them could not be created, are kept one by one.
_KEEP_UNFILLED: Final = """
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %(cycle)s, group_id, member_id, true, %(batch)s, 'planned', ''
  FROM (SELECT group_id, unnest(members) FROM provisioning_groupfill
         WHERE cycle_id = %(cycle)s AND batch = %(batch)s
        EXCEPT SELECT group_source, unnest(member_sources) FROM staged_fill) AS unfilled (group_id, member_id)
"""
_TAKE: Final = "DELETE FROM provisioning_groupfill WHERE cycle_id = %(cycle)s AND batch = %(batch)s"
# No id of a planned membership is negative.
_READ: Final = f"""
SELECT -(f.number * {SET_SIZE} + m.place - 1), f.group_id, m.id, f.member_kind
  FROM staged_fill f CROSS JOIN LATERAL unnest(f.member_ids) WITH ORDINALITY AS m (id, place)
 ORDER BY f.number, m.place
"""  # noqa: S608 — built from constants only
_REFUSE: Final = f"""
WITH refused AS MATERIALIZED (
    SELECT f.number, f.group_source, f.group_id, f.member_kind, r.change_id, r.error_code,
           f.member_sources[-r.change_id %% {SET_SIZE} + 1] AS member_source,
           f.member_ids[-r.change_id %% {SET_SIZE} + 1] AS member_id
      FROM unnest(%s::bigint[], %s::text[]) AS r (change_id, error_code)
      JOIN staged_fill f ON f.number = -r.change_id / {SET_SIZE}
), left_over AS (
    UPDATE staged_fill f
       SET member_sources = ARRAY(SELECT unnest(f.member_sources) EXCEPT SELECT unnest(r.sources)),
           member_ids = ARRAY(SELECT unnest(f.member_ids) EXCEPT SELECT unnest(r.ids))
      FROM (SELECT number, array_agg(member_source) AS sources, array_agg(member_id) AS ids
              FROM refused GROUP BY number) AS r
     WHERE f.number = r.number
)
INSERT INTO staged_membership
SELECT change_id, true, group_source, member_source, group_id, member_id, member_kind, error_code, true FROM refused
"""  # noqa: S608 — built from constants only
_FORGET_EMPTY: Final = "DELETE FROM staged_fill WHERE member_sources = '{}'"
_HAS_OLD: Final = """
SELECT EXISTS (SELECT 1 FROM staged_fill f JOIN provisioning_linkmemberset s ON s.group_id = f.group_source)
"""
_LINK: Final = """
INSERT INTO provisioning_linkmemberset (group_id, members)
SELECT group_source, member_sources FROM staged_fill ORDER BY number
"""
_PAIRS: Final = "SELECT group_source AS group_id, unnest(member_sources) AS member_id FROM staged_fill"


def stage(cursor: Any, parameters: dict[str, int]) -> int:
    """Stage the groups of a batch that are to be filled; returns how many memberships these are."""
    cursor.execute(_STAGING)
    cursor.execute(_COUNT, parameters)
    planned = int(cursor.fetchone()[0])
    if not planned:
        return 0
    cursor.execute(_TELL_ARRAYS)
    cursor.execute(_STAGE, parameters)
    cursor.execute(_STAGED)
    staged = int(cursor.fetchone()[0])
    if staged < planned:
        cursor.execute(_KEEP_UNFILLED, parameters)
    cursor.execute(_TAKE, parameters)
    return staged


def read(cursor: Any) -> Iterator[MembershipChange]:
    """What is staged, one by one."""
    cursor.execute(_READ)
    for key, group_id, member_id, member_type in cursor.fetchall():
        yield MembershipChange(key, True, group_id, member_id, ObjectType(member_type))


def refuse(cursor: Any, failures: Sequence[Outcome]) -> None:
    """What a target has not written leaves the sets, and is staged one by one as failed."""
    codes = [one.error_code for one in failures]
    cursor.execute(_REFUSE, [[one.change_id for one in failures], codes])
    cursor.execute(_FORGET_EMPTY)


def link(cursor: Any) -> None:
    """Note what is staged as written."""
    cursor.execute(_HAS_OLD)
    if cursor.fetchone()[0]:
        written_members.add(cursor, _PAIRS)
    else:
        cursor.execute(_LINK)

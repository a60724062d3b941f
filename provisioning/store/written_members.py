"""Memberships that we wrote to the target, kept as sets: added, removed, forgotten.

Whoever adds leaves out what is there, for no index forbids it. Two configurations that note one membership at the same
moment note it twice: readers take it for one, and whoever ends it ends both. Sets that are to lose members are locked
in the order of their ids, so that of two writers one waits for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from provisioning.store.member_sets import SET_SIZE
from provisioning.store.sorting_in import WRITTEN_MEMBERS, sort_in

_ADD: Final = """
WITH told AS MATERIALIZED ({pairs}), missing AS (
    SELECT group_id, member_id FROM told
    EXCEPT
    SELECT s.group_id, m.id
      FROM (SELECT DISTINCT group_id FROM told) AS t
      JOIN provisioning_linkmemberset s USING (group_id)
     CROSS JOIN LATERAL unnest(s.members) AS m (id)
), numbered AS (
    SELECT *, (row_number() OVER (PARTITION BY group_id ORDER BY member_id) - 1) / {size} AS part FROM missing
)
INSERT INTO provisioning_linkmemberset (group_id, members)
SELECT group_id, array_agg(member_id ORDER BY member_id) FROM numbered GROUP BY group_id, part
"""
_REMOVE: Final = """
WITH ending AS MATERIALIZED ({pairs}), held AS (
    SELECT s.id, array_agg(e.member_id) AS ending
      FROM (SELECT DISTINCT group_id FROM ending) AS t
      JOIN provisioning_linkmemberset s USING (group_id)
     CROSS JOIN LATERAL unnest(s.members) AS m (id)
      JOIN ending e ON e.group_id = s.group_id AND e.member_id = m.id
     GROUP BY s.id
), locked AS MATERIALIZED (
    SELECT s.id, held.ending FROM held JOIN provisioning_linkmemberset s USING (id) ORDER BY s.id FOR UPDATE OF s
)
UPDATE provisioning_linkmemberset s
   SET members = ARRAY(SELECT unnest(s.members) EXCEPT SELECT unnest(l.ending) ORDER BY 1)
  FROM locked l WHERE s.id = l.id
RETURNING s.id, s.members = '{{}}'
"""
_DROP: Final = "DELETE FROM provisioning_linkmemberset WHERE id = ANY(%s)"
_DROP_GROUPS: Final = "DELETE FROM provisioning_linkmemberset WHERE group_id = ANY(%(sources)s)"
# The index looks for this many members at once: whatever it has not sorted in yet is read for each question, and the
# more it is asked for, the longer each takes.
_ASKED_AT_ONCE: Final = 100
OF_MEMBERS: Final = f"""
SELECT s.group_id, m.id AS member_id
  FROM (SELECT array_agg(id) AS ids
          FROM unnest(%(sources)s::bigint[]) WITH ORDINALITY AS one (id, place)
         GROUP BY (place - 1) / {_ASKED_AT_ONCE}) asked
 CROSS JOIN LATERAL (SELECT group_id, members FROM provisioning_linkmemberset WHERE members && asked.ids OFFSET 0) s
 CROSS JOIN LATERAL (SELECT unnest(s.members) INTERSECT SELECT unnest(asked.ids)) AS m (id)
"""  # noqa: S608 — built from constants only
"""Memberships of the source objects ``sources``."""
OF_GROUPS: Final = """
SELECT group_id, unnest(members) AS member_id
  FROM provisioning_linkmemberset WHERE group_id = ANY(%(sources)s::bigint[])
"""
"""Members of the source objects ``sources``."""


def add(cursor: Any, pairs: str, parameters: Mapping[str, Any] | None = None) -> None:
    """Note memberships as written: ``pairs`` is a SELECT of group_id and member_id."""
    cursor.execute(_ADD.format(pairs=pairs, size=SET_SIZE), parameters)


def remove(cursor: Any, pairs: str, parameters: Mapping[str, Any] | None = None) -> None:
    """Note memberships as ended: ``pairs`` is a SELECT of group_id and member_id."""
    cursor.execute(_REMOVE.format(pairs=pairs), parameters)
    if empty := [key for key, is_empty in cursor.fetchall() if is_empty]:
        cursor.execute(_DROP, [empty])


def forget_groups(cursor: Any, sources: Sequence[int]) -> None:
    """These groups have no members any more."""
    cursor.execute(_DROP_GROUPS, {"sources": list(sources)})


def forget(cursor: Any, sources: Sequence[int]) -> None:
    """These objects are in no group any more, and have no members."""
    forget_groups(cursor, sources)
    if len(sources) > _ASKED_AT_ONCE:
        sort_in(WRITTEN_MEMBERS)
    remove(cursor, OF_MEMBERS, {"sources": list(sources)})

"""Planning memberships: groups that appear are filled, all others are compared with what was exported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.store import member_sets, nested_groups
from provisioning.store.sorting_in import SOURCE_MEMBERS, sort_in

_APPEARING: Final = """appearing AS (
    SELECT source_id AS id, kind FROM provisioning_change
     WHERE cycle_id = %(cycle)s AND kind IN ('create', 'restore') AND status = 'planned'
)"""
_WANTED: Final = """{edges}, wanted AS (
    SELECT e.group_id, o.id AS member_id, o.object_type AS member_type
      FROM edges e
      JOIN provisioning_sourceobject o ON o.configuration_id {home} AND o.guid = e.member_guid {kinds}
      LEFT JOIN provisioning_link l ON l.source_id = o.id
      LEFT JOIN appearing a ON a.id = o.id
     WHERE o.in_scope AND NOT o.is_gone AND (l.state = 'active' OR a.id IS NOT NULL)
        OR o.object_type = ANY(%(kept)s) AND o.gone_reason <> 'deleted' AND l.state = 'active'
)"""
_CREATED: Final = """
    SELECT source_id AS id FROM provisioning_change
     WHERE cycle_id = %(cycle)s AND kind = 'create' AND status = 'planned' AND object_type = 2
"""
_COUNT_CREATED: Final = f"SELECT count(*) FROM ({_CREATED}) created"  # noqa: S608 — built from constants only
# How many members are in the sets the planner does not know: it would look the objects up one by one. From so many
# groups on most objects are needed, and to read them all takes half the time.
_MANY_GROUPS: Final = 10_000
_READ_ALL: Final = "SET LOCAL enable_nestloop = off"
_READ_AS_PLANNED: Final = "SET LOCAL enable_nestloop TO DEFAULT"
# What the cycle creates has no memberships yet. Collected in a table first: a statement that writes to one that stays
# is not shared by several processors.
_COLLECT: Final = f"""
CREATE TEMP TABLE collected_fill (group_id, member_type, members) WITH (toast_tuple_target = 8160) AS
WITH RECURSIVE {_APPEARING}, groups AS ({_CREATED}), {_WANTED}
SELECT group_id, member_type, array_agg(DISTINCT member_id) AS members FROM wanted GROUP BY group_id, member_type
"""  # noqa: S608 — built from constants only
# A group lies in one batch as a whole, however big it is: the one in which it begins. Where there are many memberships
# there are four batches or more, for several workers to share.
_FILL: Final = """
WITH counted AS (
    SELECT *, sum(cardinality(members)) OVER (ORDER BY group_id)
              - sum(cardinality(members)) OVER (PARTITION BY group_id) AS members_before,
           least(%(fill_batch)s, greatest(%(batch)s, sum(cardinality(members)) OVER () / 4)) AS batch_size
      FROM collected_fill
), planned AS (
    INSERT INTO provisioning_groupfill (cycle_id, batch, group_id, member_type, members)
    SELECT %(cycle)s, members_before / batch_size, group_id, member_type, members FROM counted
    RETURNING cardinality(members) AS count
)
SELECT coalesce(sum(count), 0) FROM planned
"""
_FORGET: Final = "DROP TABLE collected_fill"
_IN_TARGET: Final = "SELECT 1 FROM provisioning_link WHERE configuration_id = %(configuration)s"
_LOOKS_UP: Final = f"""
WITH {_APPEARING} SELECT EXISTS (SELECT 1 FROM appearing) AND EXISTS ({_IN_TARGET})
"""  # noqa: S608 — built from constants only
# Which groups take part: all but those that stay as they are.
_TAKES_PART: Final = """
           g.configuration_id = %(configuration)s AND g.in_scope AND NOT g.is_gone
       AND (%(only)s::bigint IS NULL OR g.id = %(only)s)
       AND (NOT %(fills)s OR NOT EXISTS (SELECT 1 FROM provisioning_linkmemberset k WHERE k.group_id = g.id))"""
# To ask for one membership takes a thousandth of what it takes to compare its group: where so many members appear at
# once, the group is compared. Where groups are flattened, those who appear come with all that they hold.
_MANY_JOIN: Final = 500
_ANY_JOINS: Final = 0
# Groups to look at whole: those whose members changed in AD, those that come back, and those whom many join. In all
# others only those who appear in the target now are new. In a first cycle there is nobody whom this is about.
_COMPARE: Final = f"""
WITH RECURSIVE {_APPEARING}, joining AS MATERIALIZED (
    SELECT m.group_id, o.id AS member_id
      FROM appearing c
      JOIN provisioning_sourceobject o ON o.id = c.id
      {member_sets.holders("o.guid")}
     WHERE EXISTS ({_IN_TARGET}) AND o.in_scope AND NOT o.is_gone
), looked_at AS (
    SELECT id FROM provisioning_sourceobject WHERE configuration_id = %(configuration)s AND members_dirty
    UNION SELECT id FROM appearing WHERE kind = 'restore'
    UNION SELECT group_id FROM joining GROUP BY group_id HAVING count(*) > %(many)s
), groups AS (
    SELECT g.id FROM looked_at JOIN provisioning_sourceobject g USING (id)
      JOIN provisioning_link l ON l.source_id = g.id
      LEFT JOIN appearing a ON a.id = g.id
     WHERE {_TAKES_PART} AND (a.kind = 'restore' OR l.state = 'active' AND %(updates_groups)s)
), {_WANTED}, exported AS (
    SELECT l.group_id, m.id AS member_id
      FROM groups g
      JOIN provisioning_linkmemberset l ON l.group_id = g.id
     CROSS JOIN LATERAL unnest(l.members) AS m (id)
), joined AS (
    SELECT g.id AS group_id, j.member_id
      FROM joining j
      JOIN provisioning_sourceobject g ON g.id = j.group_id
      JOIN provisioning_link l ON l.source_id = g.id AND l.state = 'active'
     WHERE {_TAKES_PART} AND %(updates_groups)s AND NOT EXISTS (SELECT 1 FROM looked_at w WHERE w.id = g.id)
       AND NOT EXISTS (SELECT 1 FROM provisioning_linkmemberset k
                        WHERE k.group_id = g.id AND k.members @> ARRAY[j.member_id])
), differences AS (
    (SELECT group_id, member_id, true AS is_addition FROM wanted EXCEPT SELECT group_id, member_id, true FROM exported)
    UNION ALL
    (SELECT group_id, member_id, false FROM exported WHERE NOT %(adds)s
     EXCEPT SELECT group_id, member_id, false FROM wanted)
    UNION ALL
    SELECT DISTINCT group_id, member_id, true FROM joined
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY group_id, member_id) AS position FROM differences
)
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %(cycle)s, group_id, member_id, is_addition, (position - 1) / %(batch)s, 'planned', '' FROM numbered
"""  # noqa: S608 — built from constants only


@dataclass(frozen=True, slots=True)
class BatchSizes:
    """How many memberships make a batch: of those that are compared, and at most of groups that are filled."""

    compared: int
    filled: int


def write(
    configuration: UUID,
    cycle: int,
    sizes: BatchSizes,
    *,
    updates_groups: bool,
    kept: list[int],
    adds: bool = False,
    fills: bool = False,
    flattens: bool = False,
    foreign: bool = False,
    only: int | None = None,
    others: Sequence[UUID] = (),
) -> int:
    """Plan additions and removals of memberships; returns how many.

    Without ``updates_groups`` only groups that appear get members. With ``adds`` none are removed, with ``fills``
    only groups that have none get any. ``kept`` are the object types of which
    what leaves the scope stays in the target, with its memberships. With ``flattens`` a group gets the accounts
    and contacts of the groups in it instead of these; :func:`nested_groups.widen` has marked what that touches.
    ``only`` is the one group to look at, ``others`` are the configurations of other domains whose objects may be
    members; with ``foreign`` some of these are members through foreign security principals.
    """
    home = "= ANY(%(home)s)" if others else "= %(configuration)s"
    parts = nested_groups.parts(home, flattens=flattens, foreign=foreign)
    parameters: dict[str, Any] = {
        "configuration": configuration,
        "cycle": cycle,
        "batch": sizes.compared,
        "fill_batch": sizes.filled,
        "updates_groups": updates_groups,
        "adds": adds,
        "fills": fills,
        "kept": kept,
        "only": only,
        "many": _ANY_JOINS if flattens else _MANY_JOIN,
        "home": [configuration, *others],
    }
    with connection.cursor() as cursor:
        filled = _fill(cursor, _COLLECT.format(home=home, **parts), parameters)
        cursor.execute(_LOOKS_UP, parameters)
        if cursor.fetchone()[0]:
            sort_in(SOURCE_MEMBERS)
        cursor.execute(_COMPARE.format(home=home, **parts), parameters)
        return filled + int(cursor.rowcount)


def _fill(cursor: Any, collect: str, parameters: dict[str, Any]) -> int:
    """Plan the members of groups that the cycle creates; returns how many."""
    cursor.execute(_COUNT_CREATED, parameters)
    groups = cursor.fetchone()[0]
    if not groups:
        return 0
    if groups >= _MANY_GROUPS:
        cursor.execute(_READ_ALL)
    cursor.execute(collect, parameters)
    cursor.execute(_READ_AS_PLANNED)
    cursor.execute(_FILL, parameters)
    filled = int(cursor.fetchone()[0])
    cursor.execute(_FORGET)
    return filled

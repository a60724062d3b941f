"""Groups within groups: what each way of writing them takes from the source, and which groups a change reaches.

A group may hold one of another domain, or of another forest through a foreign security principal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.store import member_sets
from provisioning.store.sorting_in import SOURCE_MEMBERS, sort_in

# Whom the foreign security principals stand for. One who is in two configurations of a domain counts once.
_PRINCIPALS: Final = """principals AS MATERIALIZED (
    SELECT DISTINCT f.guid AS foreign_guid, o.guid
      FROM provisioning_foreignprincipal f
      JOIN provisioning_sourceobject o ON o.sid = f.object_sid AND o.configuration_id = ANY(%(home)s)
     WHERE f.configuration_id = ANY(%(home)s)
), """
_FOREIGN: Final = {
    "principals": _PRINCIPALS,
    "member": "coalesce(p.guid, m.member_guid)",
    "resolved": "LEFT JOIN principals p ON p.foreign_guid = m.member_guid",
}
_PLAIN: Final = {"principals": "", "member": "m.member_guid", "resolved": ""}
# The parts of the members' plan in which the two ways differ. UNION drops what was found before, so that a cycle of
# groups ends and a diamond counts once. What a group that is gone had as members is not known any more.
_DIRECT: Final = """{principals}edges AS (
    SELECT s.group_id, {member} AS member_guid
      FROM groups g
      JOIN provisioning_sourcememberset s ON s.group_id = g.id
      CROSS JOIN LATERAL unnest(s.members) AS m (member_guid) {resolved}
)"""
_FLATTENED: Final = """{principals}edges AS (
    SELECT s.group_id, {member} AS member_guid
      FROM groups g
      JOIN provisioning_sourcememberset s ON s.group_id = g.id
      CROSS JOIN LATERAL unnest(s.members) AS m (member_guid) {resolved}
    UNION
    SELECT e.group_id, {member}
      FROM edges e
      JOIN provisioning_sourceobject n
        ON n.configuration_id {home} AND n.guid = e.member_guid AND n.object_type = 2 AND NOT n.is_gone
      JOIN provisioning_sourcememberset s ON s.group_id = n.id
      CROSS JOIN LATERAL unnest(s.members) AS m (member_guid) {resolved}
)"""
# Every group of the target that holds another one: by its objectGUID, or by a principal that has its SID.
_HELD: Final = member_sets.holders("o.guid")
_HELD_ABROAD: Final = f"""CROSS JOIN LATERAL (
          SELECT o.guid UNION ALL SELECT f.guid FROM provisioning_foreignprincipal f WHERE f.object_sid = o.sid
      ) AS names (guid)
      {member_sets.holders("names.guid")}"""  # noqa: S608 — built from constants only
# Groups whose own members change, or that go; and those that a full read has told of without marking them.
_CHANGED: Final = """
    SELECT id FROM provisioning_sourceobject WHERE configuration_id = %(configuration)s AND members_dirty
    UNION
    SELECT id FROM provisioning_sourceobject
     WHERE configuration_id = %(configuration)s AND is_dirty AND is_gone AND object_type = 2
    UNION
    SELECT o.id FROM provisioning_sourceobject o
     WHERE EXISTS (SELECT 1 FROM provisioning_job WHERE configuration_id = %(configuration)s AND has_unmarked)
       AND o.configuration_id = %(configuration)s AND o.object_type = 2
       AND NOT EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
"""
# Groups of which a member appears in the target.
_JOINED: Final = """
    SELECT m.group_id
      FROM provisioning_change c
      JOIN provisioning_sourceobject o ON o.id = c.source_id
      {held}
      JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id {home}
     WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status IN ('planned', 'applied')
"""
# From those up to every group that holds them.
_ABOVE: Final = """
WITH RECURSIVE above AS (
    SELECT id FROM ({reached}) AS reached (id)
    UNION
    SELECT g.id
      FROM above a
      JOIN provisioning_sourceobject o ON o.id = a.id
      {held}
      JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id {home}
)
"""
# A group that was never in the target gets all its members when it is created.
_MARK: Final = """
UPDATE provisioning_sourceobject o SET members_dirty = true
  FROM above a WHERE o.id = a.id AND o.configuration_id = %(configuration)s AND NOT o.members_dirty
   AND EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
"""
_TELL: Final = """
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT o.configuration_id, o.id
  FROM above a JOIN provisioning_sourceobject o ON o.id = a.id
 WHERE o.configuration_id = ANY(%(told)s)
"""
_MARK_ALL = """
UPDATE provisioning_sourceobject o SET members_dirty = true
 WHERE configuration_id = %(configuration)s AND object_type = 2 AND NOT is_gone AND NOT members_dirty
   AND EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
"""


def parts(home: str, *, flattens: bool, foreign: bool) -> Mapping[str, str]:
    """What the members' plan takes as edges, in which kinds of object; ``home`` is the condition on configurations."""
    edges = _FLATTENED if flattens else _DIRECT
    kinds = "AND o.object_type <> 2" if flattens else ""
    return {"kinds": kinds, "edges": edges.format(home=home, **(_FOREIGN if foreign else _PLAIN))}


def widen(configuration: UUID, cycle: int, others: Sequence[UUID], *, foreign: bool) -> None:
    """Mark every group whose effective members may have changed; after the objects of the cycle are planned.

    ``others`` are the configurations whose groups may lie between; with ``foreign`` there are principals.
    """
    reached = f"{_CHANGED} UNION {_JOINED}"
    _run(_MARK, reached, configuration, cycle, others, (), foreign=foreign)


def tell_changed(
    configuration: UUID, cycle: int, others: Sequence[UUID], told: Sequence[UUID], *, foreign: bool
) -> None:
    """Put every group of the configurations ``told`` whose effective members may have changed on their lists.

    Before the lists of others are taken: what these have caused is known to them.
    """
    _run(_TELL, _CHANGED, configuration, cycle, others, told, foreign=foreign)


def tell_joined(
    configuration: UUID, cycle: int, others: Sequence[UUID], told: Sequence[UUID], *, foreign: bool
) -> None:
    """The same for what has appeared in the target."""
    _run(_TELL, _JOINED, configuration, cycle, others, told, foreign=foreign)


def mark_all(configuration: UUID) -> None:
    """Mark every group: they are to be written in the other way from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_ALL, {"configuration": configuration})


def _run(
    then: str,
    reached: str,
    configuration: UUID,
    cycle: int,
    others: Sequence[UUID],
    told: Sequence[UUID],
    *,
    foreign: bool,
) -> None:
    """Find the groups above those that are reached, through groups of the configuration and ``others``."""
    names = {
        "home": "= ANY(%(home)s)" if others else "= %(configuration)s",
        "held": _HELD_ABROAD if foreign else _HELD,
    }
    statement = _ABOVE.format(reached=reached.format(**names), **names) + then
    parameters: dict[str, Any] = {"configuration": configuration, "cycle": cycle}
    sort_in(SOURCE_MEMBERS)
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, "home": [configuration, *others], "told": list(told)})

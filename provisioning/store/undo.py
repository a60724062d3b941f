"""What a cycle wrote beside what is there now, and the set-based half of taking it back.

For targets that are the built-in directory: what these hold is read where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from directory.services.rows import RESTORABLE
from provisioning.engine.plan import LinkStanding
from provisioning.engine.undo import Present, Written, is_changed_since

FETCH_ROWS: Final = 2_000

# The cycles that changed the object later, each with the one that it undoes. References do not count: whom a new user
# reports to does not keep it.
_LATER = """(SELECT jsonb_agg(jsonb_build_array(k.cycle_id, y.undoes_id) ORDER BY k.cycle_id)::text
          FROM provisioning_change k JOIN provisioning_cycle y ON y.id = k.cycle_id
         WHERE k.source_id = c.source_id AND k.cycle_id > c.cycle_id AND k.status = 'applied'
           AND k.kind <> 'reference')"""
# As in the drift report: a parked value is known not to be there.
_BY_HAND = """(d.attributes <> l.exported AND EXISTS (
           SELECT 1 FROM jsonb_each(l.exported) e
            WHERE d.attributes->e.key IS DISTINCT FROM e.value
              AND NOT d.parked @> jsonb_build_array(jsonb_build_object('propertyCausingError', e.key))))"""
_VALUES = """(SELECT jsonb_object_agg(key, CASE
           WHEN d.parked @> jsonb_build_array(jsonb_build_object('propertyCausingError', key)) THEN l.exported->key
           ELSE d.attributes->key END) FROM jsonb_object_keys(c.new) AS key)"""
_REFERENCES = (
    """(SELECT jsonb_object_agg(key, l.reference_guids->key) FROM jsonb_object_keys(c.new) AS key)"""
)
# The manager that the directory holds, against the one that was last written.
_MANAGER_BY_HAND = """(c.new ? 'Manager' AND l.reference_guids->'Manager' IS DISTINCT FROM 'null'
           AND d.manager_id::text IS DISTINCT FROM (
               SELECT t.target_id FROM provisioning_sourceobject s JOIN provisioning_link t ON t.source_id = s.id
                WHERE s.configuration_id = ANY(%(home)s) AND s.guid = (l.reference_guids->>'Manager')::uuid LIMIT 1))"""
# No EXISTS: that might be answered from a hash of the whole table.
_DID = """((SELECT k.id FROM provisioning_change k
           WHERE k.source_id = {source} AND k.cycle_id = c.cycle_id AND k.status = 'applied' AND k.kind {kinds}
           LIMIT 1) IS NOT NULL)"""
_RETURNS = _DID.format(source="c.source_id", kinds="= 'delete'")
_LEAVES = _DID.format(source="c.source_id", kinds="IN ('create', 'restore')")
_HAS_REFERENT = f"""NOT EXISTS (SELECT 1 FROM jsonb_each_text(c.old) AS r (name, guid)
           WHERE r.guid IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM provisioning_sourceobject s JOIN provisioning_link t ON t.source_id = s.id
                WHERE s.configuration_id = ANY(%(home)s) AND s.guid = r.guid::uuid
                  AND (t.state = 'active' OR {_DID.format(source="s.id", kinds="= 'delete'")})))"""  # noqa: S608 — built from constants only
_WRITTEN = f"""
SELECT c.id, c.source_id, c.object_type, c.phase, c.batch, o.guid, o.dn, c.kind, c.old::text, c.new::text,
       o.id IS NOT NULL, coalesce(l.state, 'none'), d.id IS NOT NULL AND d.deleted_at IS NULL,
       coalesce(d.deleted_at > %(restorable)s, false),
       CASE WHEN c.kind IN ('update', 'disable') THEN {_VALUES} WHEN c.kind = 'reference' THEN {_REFERENCES} END::text,
       CASE WHEN c.kind = 'delete' THEN l.exported::text END,
       l.target_id IS NOT DISTINCT FROM c.proposed_id::text,
       CASE WHEN c.kind IN ('create', 'restore', 'delete') THEN {_LATER} END,
       CASE WHEN c.kind IN ('create', 'restore') THEN coalesce({_BY_HAND}, false)
            WHEN c.kind = 'reference' THEN coalesce({_MANAGER_BY_HAND}, false)
            ELSE false END,
       c.kind = 'reference' AND {_RETURNS}, c.kind = 'reference' AND {_LEAVES},
       c.kind <> 'reference' OR {_HAS_REFERENT}
  FROM provisioning_change c
  LEFT JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN provisioning_link l ON l.source_id = c.source_id
  LEFT JOIN LATERAL (
      SELECT u.id, u.deleted_at, u.attributes, u.manager_id, coalesce(u.provisioning_errors, '[]') AS parked
        FROM directory_user u WHERE c.object_type = 1 AND u.id = l.target_id::uuid
      UNION ALL
      SELECT g.id, g.deleted_at, g.attributes, NULL, coalesce(g.provisioning_errors, '[]')
        FROM directory_group g WHERE c.object_type = 2 AND g.id = l.target_id::uuid
      UNION ALL
      SELECT p.id, p.deleted_at, p.attributes, p.manager_id, coalesce(p.provisioning_errors, '[]')
        FROM directory_contact p WHERE c.object_type = 3 AND p.id = l.target_id::uuid
  ) d ON true
 WHERE c.cycle_id = %(cycle)s AND c.status = 'applied'
   AND (c.phase, c.batch, c.id) > (%(phase)s, %(batch)s, %(after)s)
 ORDER BY c.phase, c.batch, c.id
"""  # noqa: S608 — built from constants only
# What goes or comes back takes its memberships along, or brings them: those need an end that is there after the undo.
# Each end is looked up by itself: statistics lag behind, and two joins of such lists would be tried row by row.
_END: Final = """
      JOIN provisioning_link {end} ON {end}.source_id = d.{column}
      LEFT JOIN LATERAL (
          SELECT c.kind FROM provisioning_change c
           WHERE c.source_id = d.{column} AND c.cycle_id = %(cycle)s AND c.status = 'applied' AND c.kind <> 'reference'
           LIMIT 1) {end}_change ON true"""
_IS_THERE: Final = """(CASE {end}_change.kind WHEN 'create' THEN false WHEN 'restore' THEN false
            WHEN 'delete' THEN true ELSE {end}.state = 'active' END)"""
_MEMBERSHIPS: Final = f"""
WITH written AS (
    SELECT group_id, member_id, NOT bool_and(is_addition) AS is_addition
      FROM provisioning_memberchange WHERE cycle_id = %(cycle)s AND status = 'applied'
     GROUP BY group_id, member_id HAVING bool_and(is_addition) OR NOT bool_or(is_addition)
), held AS (
    SELECT s.group_id, m.id AS member_id
      FROM (SELECT DISTINCT group_id FROM written) AS w
      JOIN provisioning_linkmemberset s USING (group_id)
     CROSS JOIN LATERAL unnest(s.members) AS m (id)
), differing AS (
    SELECT w.* FROM written w LEFT JOIN held h USING (group_id, member_id)
     WHERE w.is_addition = (h.member_id IS NULL)
), possible AS (
    SELECT d.* FROM differing d {_END.format(end="g", column="group_id")} {_END.format(end="m", column="member_id")}
     WHERE {_IS_THERE.format(end="g")} AND {_IS_THERE.format(end="m")}
)
"""  # noqa: S608 — built from constants only
_COUNT_MEMBERSHIPS = f"""{_MEMBERSHIPS}
SELECT count(*) FILTER (WHERE is_addition), count(*) FILTER (WHERE NOT is_addition) FROM possible
"""  # noqa: S608 — built from constants only
_LIST_MEMBERSHIPS = f"""{_MEMBERSHIPS}
SELECT p.group_id, p.member_id, p.is_addition, g.dn, g.guid, m.dn, m.guid
  FROM possible p
  JOIN provisioning_sourceobject g ON g.id = p.group_id
  JOIN provisioning_sourceobject m ON m.id = p.member_id
 WHERE (p.group_id, p.member_id) > (%(group)s, %(member)s)
 ORDER BY p.group_id, p.member_id LIMIT %(limit)s
"""  # noqa: S608 — built from constants only
_PLAN_MEMBERSHIPS = f"""
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
{_MEMBERSHIPS}
SELECT %(undo)s, group_id, member_id, is_addition,
       (row_number() OVER (ORDER BY group_id, member_id) - 1) / %(batch)s, 'planned', ''
  FROM possible
"""  # noqa: S608 — built from constants only
_LOG_SKIPPED = """
INSERT INTO provisioning_log (at, configuration_id, cycle_id, object_type, source_guid, source_name, target_id,
                              action, status, error_code, detail, modified)
SELECT %(now)s, o.configuration_id, c.cycle_id, c.object_type, o.guid, o.dn, coalesce(l.target_id, ''),
       'Other', 'Skipped', c.error_code, c.error_detail, '[]'
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE c.cycle_id = %(undo)s AND c.status = 'skipped'
"""
# Active Directory says otherwise than the target now: the next plan has to look at everything that was taken back.
_MARK: Final = (
    """
UPDATE provisioning_sourceobject o SET is_dirty = true
  FROM provisioning_change c
 WHERE c.cycle_id = %(undo)s AND c.status = 'applied' AND c.kind <> 'reference' AND o.id = c.source_id
   AND NOT o.is_dirty
""",
    """
UPDATE provisioning_link l SET exported_hash = ''
  FROM provisioning_change c
 WHERE c.cycle_id = %(undo)s AND c.status = 'applied' AND c.kind <> 'reference' AND l.source_id = c.source_id
""",
    """
UPDATE provisioning_sourceobject o SET references_dirty = true
  FROM provisioning_change c
 WHERE c.cycle_id = %(undo)s AND c.status = 'applied' AND c.kind IN ('reference', 'restore') AND o.id = c.source_id
   AND NOT o.references_dirty
""",
    """
UPDATE provisioning_sourceobject o SET members_dirty = true
  FROM provisioning_memberchange m
 WHERE m.cycle_id = %(undo)s AND m.status = 'applied' AND o.id = m.group_id AND NOT o.members_dirty
""",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of what a cycle wrote ends; the next one begins after it."""

    phase: int = -1
    batch: int = -1
    id: int = 0


START: Final = Place()


@dataclass(frozen=True, slots=True)
class WrittenObject:
    """One change that a cycle made, and how its object stands now."""

    place: Place
    source_id: int
    object_type: int
    guid: UUID | None
    dn: str
    written: Written
    present: Present


@dataclass(frozen=True, slots=True)
class MembershipReversal:
    """One membership to be added again or removed again, with both ends by name."""

    group_id: int
    member_id: int
    is_addition: bool
    group: str
    group_guid: UUID
    member: str
    member_guid: UUID


def written(cycle: int, home: Sequence[UUID], now: datetime) -> Iterator[list[WrittenObject]]:
    """Everything that a cycle wrote to objects, in lists of :data:`FETCH_ROWS`; needs an open transaction."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_WRITTEN, _parameters(cycle, home, now, START))
        while rows := cursor.fetchmany(FETCH_ROWS):
            yield [_of_row(cycle, row) for row in rows]


def page(cycle: int, home: Sequence[UUID], now: datetime, after: Place, limit: int) -> list[WrittenObject]:
    """So many of them, after a place."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_WRITTEN} LIMIT %(limit)s", {**_parameters(cycle, home, now, after), "limit": limit}
        )
        return [_of_row(cycle, row) for row in cursor.fetchall()]


def count_memberships(cycle: int) -> tuple[int, int]:
    """How many memberships an undo would add, and how many it would remove."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_MEMBERSHIPS, {"cycle": cycle})
        added, removed = cursor.fetchone()
        return int(added), int(removed)


def memberships(cycle: int, after: tuple[int, int], limit: int) -> list[MembershipReversal]:
    """So many of those memberships, after a pair of group and member."""
    group, member = after
    with connection.cursor() as cursor:
        cursor.execute(_LIST_MEMBERSHIPS, {"cycle": cycle, "group": group, "member": member, "limit": limit})
        return [MembershipReversal(*row) for row in cursor.fetchall()]


def plan_memberships(cycle: int, undo: int, batch_size: int) -> int:
    """Plan the memberships of an undo; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PLAN_MEMBERSHIPS, {"cycle": cycle, "undo": undo, "batch": batch_size})
        return int(cursor.rowcount)


def log_skipped(undo: int, now: datetime) -> None:
    """One row for everything that the undo leaves alone."""
    with connection.cursor() as cursor:
        cursor.execute(_LOG_SKIPPED, {"undo": undo, "now": now})


def mark_for_next_cycle(undo: int) -> None:
    """Let the next plan look at everything that was taken back."""
    with connection.cursor() as cursor:
        for statement in _MARK:
            cursor.execute(statement, {"undo": undo})


def _parameters(cycle: int, home: Sequence[UUID], now: datetime, after: Place) -> dict[str, Any]:
    place = {"phase": after.phase, "batch": after.batch, "after": after.id}
    return {"cycle": cycle, "home": list(home), "restorable": now - RESTORABLE, **place}


def _of_row(cycle: int, row: Sequence[Any]) -> WrittenObject:
    key, source_id, object_type, phase, batch, guid, dn, kind, old, new, *present = row
    is_known, link, is_there, is_restorable, values, exported, is_made_by_cycle, later, by_hand, *rest = (
        present
    )
    return WrittenObject(
        Place(phase, batch, key),
        source_id,
        object_type,
        guid,
        dn or "",
        Written(kind, _document(old), _document(new)),
        Present(
            is_known,
            LinkStanding(link),
            is_there,
            is_restorable,
            _document(values),
            _document(exported),
            is_made_by_cycle,
            by_hand or is_changed_since(cycle, orjson.loads(later) if later else ()),
            *rest,
        ),
    )


def _document(text: str | None) -> dict[str, Any]:
    return orjson.loads(text) if text else {}

"""The set-based half of planning: finding what is dirty, storing changes, planning memberships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.engine.plan import LinkStanding
from provisioning.store import nested_groups

# Rows fetched from the server-side cursor at a time: bounds memory whatever the size of the domain.
FETCH_ROWS = 2_000

_MARK_UNSEEN = """
UPDATE provisioning_sourceobject o
   SET is_gone = true, gone_reason = 'unseen', is_dirty = true, updated_at = %(now)s
 WHERE o.configuration_id = %(configuration)s AND NOT o.is_gone AND o.told_in IS DISTINCT FROM %(cycle)s
   AND NOT EXISTS (SELECT 1 FROM provisioning_seenobject s WHERE s.cycle_id = %(cycle)s AND s.guid = o.guid)
"""
# After a complete full read: what stands otherwise than the link says, though the read itself changed nothing.
# A switch that lets deletions or updates flow again takes effect by this.
_MARK_DIFFERING = """
UPDATE provisioning_sourceobject o SET is_dirty = true
  FROM provisioning_link l
 WHERE o.configuration_id = %(configuration)s AND NOT o.is_dirty AND l.source_id = o.id AND (
       l.state = 'active' AND (o.is_gone OR NOT o.in_scope OR l.exported_hash <> o.wanted_hash)
    OR l.state = 'deleted' AND o.in_scope AND NOT o.is_gone)
"""
# Creations that nobody has marked: an initial cycle plans them all the same (:mod:`creations`).
_MARK_MISSING = """
UPDATE provisioning_sourceobject o SET is_dirty = true
 WHERE o.configuration_id = %(configuration)s AND NOT o.is_dirty AND o.in_scope AND NOT o.is_gone
   AND NOT EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
"""
# After an evaluation: other rules may want other things of what the evaluation itself did not change.
_MARK_ALL = """
UPDATE provisioning_sourceobject o
   SET is_dirty = true,
       references_dirty = o.references_dirty OR EXISTS (
           SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id AND l.reference_guids <> o.reference_guids)
 WHERE o.configuration_id = %(configuration)s AND (NOT o.is_gone OR EXISTS (
       SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id AND l.state = 'active'))
"""
# Of a dirty object and its escrow, if any: objects in escrow wait for their time unless they changed since they failed.
IS_TRIED_NOW = """(e.source_id IS NULL OR e.retry_at <= %(now)s
        OR e.wanted_hash <> o.wanted_hash OR e.was_wanted <> (o.in_scope AND NOT o.is_gone))"""
# Creations are planned by :mod:`creations`.
_DIRTY = f"""
SELECT o.id, o.object_type, o.in_scope AND NOT o.is_gone, o.error_code, o.error_detail,
       coalesce(l.state, 'none'), o.gone_reason,
       CASE WHEN l.state = 'active' THEN o.wanted::text END,
       CASE WHEN l.state = 'active' THEN l.exported::text END
  FROM provisioning_sourceobject o
  LEFT JOIN provisioning_link l ON l.source_id = o.id
  LEFT JOIN provisioning_escrow e ON e.source_id = o.id
 WHERE o.configuration_id = %(configuration)s AND o.is_dirty
   AND {IS_TRIED_NOW}
   AND NOT (l.source_id IS NULL AND o.in_scope AND NOT o.is_gone AND o.error_code = '')
 ORDER BY o.id
"""  # noqa: S608 — built from constants only
_STORE = "COPY provisioning_change (cycle_id, source_id, object_type, kind, phase, batch, old, new, status, \
error_code, error_detail) FROM STDIN"
_CLEAN = """
UPDATE provisioning_sourceobject o SET is_dirty = false
 WHERE o.configuration_id = %(configuration)s AND o.is_dirty
   AND NOT EXISTS (SELECT 1 FROM provisioning_change c WHERE c.cycle_id = %(cycle)s AND c.source_id = o.id)
   AND NOT EXISTS (SELECT 1 FROM provisioning_escrow e
                    WHERE e.source_id = o.id AND e.wanted_hash = o.wanted_hash
                      AND e.was_wanted = (o.in_scope AND NOT o.is_gone))
"""
# Groups to look at: those whose members changed in AD, and those of objects that appear in the target now.
_PLAN_MEMBERS = """
WITH RECURSIVE appearing AS (
    SELECT source_id AS id FROM provisioning_change
     WHERE cycle_id = %(cycle)s AND kind IN ('create', 'restore') AND status = 'planned'
), looked_at AS (
    SELECT id FROM provisioning_sourceobject WHERE configuration_id = %(configuration)s AND members_dirty
    UNION
    SELECT m.group_id
      FROM appearing c
      JOIN provisioning_sourceobject o ON o.id = c.id
      JOIN provisioning_sourcemember m ON m.member_guid = o.guid
      JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = %(configuration)s
), groups AS (
    SELECT g.id FROM looked_at JOIN provisioning_sourceobject g USING (id)
      LEFT JOIN provisioning_link l ON l.source_id = g.id
      LEFT JOIN appearing a ON a.id = g.id
     WHERE g.in_scope AND NOT g.is_gone AND (a.id IS NOT NULL OR l.state = 'active' AND %(updates_groups)s)
       AND (%(only)s::bigint IS NULL OR g.id = %(only)s)
       AND (NOT %(fills)s OR NOT EXISTS (SELECT 1 FROM provisioning_linkmember k WHERE k.group_id = g.id))
), {edges}, wanted AS (
    SELECT e.group_id, o.id AS member_id
      FROM edges e
      JOIN provisioning_sourceobject o ON o.configuration_id {home} AND o.guid = e.member_guid {kinds}
      LEFT JOIN provisioning_link l ON l.source_id = o.id
      LEFT JOIN appearing a ON a.id = o.id
     WHERE o.in_scope AND NOT o.is_gone AND (l.state = 'active' OR a.id IS NOT NULL)
        OR o.object_type = ANY(%(kept)s) AND o.gone_reason <> 'deleted' AND l.state = 'active'
), exported AS (
    SELECT l.group_id, l.member_id FROM groups g JOIN provisioning_linkmember l ON l.group_id = g.id
), differences AS (
    SELECT group_id, member_id, true AS is_addition FROM wanted EXCEPT SELECT group_id, member_id, true FROM exported
    UNION ALL
    (SELECT group_id, member_id, false FROM exported WHERE NOT %(adds)s
     EXCEPT SELECT group_id, member_id, false FROM wanted)
), numbered AS (
    SELECT *, row_number() OVER (ORDER BY group_id, member_id) AS position FROM differences
)
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %(cycle)s, group_id, member_id, is_addition, (position - 1) / %(batch)s, 'planned', '' FROM numbered
"""


@dataclass(frozen=True, slots=True)
class DirtyObject:
    """A source object that the plan has to look at; documents are JSON text, None unless it is linked."""

    source_id: int
    object_type: int
    is_wanted: bool
    error_code: str
    error_detail: str
    standing: str
    gone_reason: str
    wanted: str | None
    exported: str | None

    @property
    def link(self) -> LinkStanding:
        """How it stands towards the target."""
        return LinkStanding(self.standing)


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One row for the change table; ``old`` and ``new`` are JSON text."""

    source_id: int
    object_type: int
    kind: str
    phase: int
    batch: int
    old: str
    new: str
    status: str = "planned"
    error_code: str = ""
    error_detail: str = ""


def clear(cycle: int) -> None:
    """Drop an earlier attempt at the plan of this cycle."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM provisioning_change WHERE cycle_id = %s", [cycle])
        cursor.execute("DELETE FROM provisioning_memberchange WHERE cycle_id = %s", [cycle])


def mark_unseen(configuration: UUID, cycle: int, now: datetime) -> None:
    """After a complete full read: what was not seen is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_UNSEEN, {"configuration": configuration, "cycle": cycle, "now": now})


def mark_differing(configuration: UUID, *, missing: bool) -> None:
    """After a complete full read: look again at everything that is in the target otherwise than it is wanted.

    With ``missing`` also at what is wanted and was never there.
    """
    with connection.cursor() as cursor:
        for statement in (_MARK_DIFFERING, _MARK_MISSING) if missing else (_MARK_DIFFERING,):
            cursor.execute(statement, {"configuration": configuration})


def mark_all(configuration: UUID) -> None:
    """After an evaluation: look at everything that is, or may come, in the target."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_ALL, {"configuration": configuration})


def dirty_objects(configuration: UUID, now: datetime) -> Iterator[list[DirtyObject]]:
    """What the plan has to look at but for creations, in lists of :data:`FETCH_ROWS`; needs an open transaction.

    Objects in escrow wait for their time unless they changed since they failed. Between two lists the
    connection is free for other statements.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_DIRTY, {"configuration": configuration, "now": now})
        while rows := cursor.fetchmany(FETCH_ROWS):
            yield [DirtyObject(*row) for row in rows]


def store(cycle: int, changes: Iterable[PlannedChange]) -> None:
    """COPY planned changes into the change table."""
    with connection.cursor() as cursor, cursor.copy(_STORE) as copy:
        for one in changes:
            copy.write_row(
                (
                    cycle,
                    one.source_id,
                    one.object_type,
                    one.kind,
                    one.phase,
                    one.batch,
                    one.old,
                    one.new,
                    one.status,
                    one.error_code,
                    one.error_detail,
                )
            )


def plan_members(
    configuration: UUID,
    cycle: int,
    batch_size: int,
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
    statement = nested_groups.parts(home, flattens=flattens, foreign=foreign)
    parameters: dict[str, Any] = {"configuration": configuration, "cycle": cycle, "batch": batch_size}
    parameters |= {
        "updates_groups": updates_groups,
        "adds": adds,
        "fills": fills,
        "kept": kept,
        "only": only,
        "home": [configuration, *others],
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLAN_MEMBERS.format(home=home, **statement), parameters)
        return int(cursor.rowcount)


def clean_unchanged(configuration: UUID, cycle: int) -> None:
    """Objects that were looked at and need nothing are no longer dirty."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEAN, {"configuration": configuration, "cycle": cycle})

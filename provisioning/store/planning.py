"""The set-based half of planning: finding what is dirty, and storing changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from provisioning.engine.plan import LinkStanding

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
        for table in ("change", "memberchange", "groupfill"):
            cursor.execute(f"DELETE FROM provisioning_{table} WHERE cycle_id = %s", [cycle])  # noqa: S608 — constants


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


def clean_unchanged(configuration: UUID, cycle: int) -> None:
    """Objects that were looked at and need nothing are no longer dirty."""
    with connection.cursor() as cursor:
        cursor.execute(_CLEAN, {"configuration": configuration, "cycle": cycle})

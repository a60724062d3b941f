"""Reading batches of planned changes, and recording what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.models import ChangeKind, ObjectType
from provisioning.store import creations, escrow, logs, outcomes, written_members
from provisioning.store.batches import Batch
from provisioning.store.outbound import ObjectChange, Outcome
from provisioning.store.outcomes import OF_BATCH
from provisioning.store.written_members import OF_GROUPS, OF_MEMBERS

# Creations are staged and linked by :mod:`creations`; the statements below are about all other changes.
_READ = """
SELECT c.id, c.kind, c.object_type, l.target_id,
       coalesce(c.new->>'SourceAnchorBinary', o.wanted->>'SourceAnchorBinary'),
       CASE WHEN c.kind = 'restore' AND c.new = '{}' THEN (r.cleared || o.create_only || o.wanted)::text
            ELSE c.new::text END
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN provisioning_link l ON l.source_id = o.id
  -- What was exported before the deletion and is not wanted any more must not come back with the object.
  LEFT JOIN LATERAL (
      SELECT coalesce(jsonb_object_agg(key, NULL), '{}') AS cleared FROM jsonb_object_keys(l.exported) AS key
  ) r ON c.kind = 'restore' AND c.new = '{}'
 WHERE c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s AND c.status = 'planned'
   AND c.kind <> 'create'
 ORDER BY c.id
"""
# The table leaves room beside each row, so that no index is written.
SETTLE: Final = f"""
UPDATE provisioning_change c
   SET status = CASE WHEN s.error_code = '' THEN 'applied' ELSE 'failed' END,
       error_code = s.error_code, error_detail = s.error_detail
  FROM staged_outcome s WHERE {OF_BATCH}
"""  # noqa: S608 — built from constants only
# The whole of what is wanted was written, or only what differed; either way the target now holds it. A restore that
# names its attributes is an undo's.
_RELINK = f"""
INSERT INTO provisioning_link AS l (
    source_id, configuration_id, target_id, state, exported, exported_hash, reference_guids, linked_at, updated_at)
SELECT o.id, o.configuration_id, s.target_id, 'active',
       CASE WHEN c.new <> '{{}}' THEN c.new ELSE jsonb_strip_nulls(o.create_only || o.wanted) END,
       o.wanted_hash, s.reference_guids, %(now)s, %(now)s
  FROM staged_outcome s
  JOIN provisioning_change c ON {OF_BATCH} AND c.kind = 'restore'
  JOIN provisioning_sourceobject o ON o.id = c.source_id
 WHERE s.error_code = ''
{creations.ON_LINKED}
"""  # noqa: S608 — built from constants only
_REFRESH = f"""
UPDATE provisioning_link l
   SET exported = jsonb_strip_nulls(l.exported || c.new), exported_hash = o.wanted_hash, updated_at = %(now)s
  FROM staged_outcome s
  JOIN provisioning_change c ON {OF_BATCH} AND c.kind IN ('update', 'disable')
  JOIN provisioning_sourceobject o ON o.id = c.source_id
 WHERE s.error_code = '' AND l.source_id = o.id
"""  # noqa: S608 — built from constants only
_UNLINK = f"""
UPDATE provisioning_link l SET state = 'deleted', updated_at = %(now)s
  FROM staged_outcome s JOIN provisioning_change c ON {OF_BATCH} AND c.kind = 'delete'
 WHERE s.error_code = '' AND l.source_id = c.source_id
"""  # noqa: S608 — built from constants only
# What a deletion takes along is kept as changes of its cycle, so that an undo can bring it back.
_DELETED = f"""
SELECT c.source_id FROM staged_outcome s JOIN provisioning_change c ON {OF_BATCH} AND c.kind = 'delete'
 WHERE s.error_code = ''
"""  # noqa: S608 — built from constants only
_KEEP_MEMBERSHIPS = f"""
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT %(cycle)s, group_id, member_id, false, 0, 'applied', ''
  FROM ({OF_GROUPS} UNION {OF_MEMBERS}) AS ending
"""  # noqa: S608 — built from constants only
# A target drops references to what is deleted. Their holders are marked: they refer to it again when it returns.
# The index is provisioning_link_references.
_FORGET_REFERENCES = f"""
WITH deleted AS MATERIALIZED (
    SELECT o.guid::text AS guid, c.cycle_id, c.phase
      FROM staged_outcome s
      JOIN provisioning_change c ON {OF_BATCH} AND c.kind = 'delete'
      JOIN provisioning_sourceobject o ON o.id = c.source_id
     WHERE s.error_code = ''
), lost AS MATERIALIZED (
    SELECT l.source_id, name, d.guid, d.cycle_id, d.phase
      FROM provisioning_link l
      CROSS JOIN LATERAL jsonb_each_text(l.reference_guids) AS held (name, guid)
      JOIN deleted d ON d.guid = held.guid
     WHERE l.reference_guids <> '{{}}'
       AND jsonb_path_query_array(l.reference_guids, '$.*') ?| (SELECT array_agg(guid) FROM deleted)
), holders AS (
    UPDATE provisioning_link l
       SET updated_at = %(now)s, reference_guids = l.reference_guids - h.names
      FROM (SELECT source_id, array_agg(name) AS names FROM lost GROUP BY source_id) h
     WHERE l.source_id = h.source_id
), traces AS (
    INSERT INTO provisioning_change (cycle_id, source_id, object_type, kind, phase, batch, old, new, status,
                                     error_code, error_detail)
    SELECT f.cycle_id, f.source_id, o.object_type, 'reference', f.phase, 0, jsonb_build_object(f.name, f.guid),
           jsonb_build_object(f.name, NULL), 'applied', '', ''
      FROM lost f
      JOIN provisioning_sourceobject o ON o.id = f.source_id
     -- An undo sets some of these anew; that is told once.
     WHERE NOT EXISTS (SELECT 1 FROM provisioning_change k
                        WHERE k.cycle_id = f.cycle_id AND k.source_id = f.source_id AND k.kind = 'reference'
                          AND k.status = 'planned' AND k.new ? f.name)
)
UPDATE provisioning_sourceobject o SET references_dirty = true FROM lost f WHERE o.id = f.source_id
"""  # noqa: S608 — built from constants only
# Failed objects stay dirty, so that the next plan tries them again.
_CLEAN = f"""
UPDATE provisioning_sourceobject o
   SET is_dirty = false,
       references_dirty = CASE c.kind WHEN 'restore' THEN o.references_dirty OR o.reference_guids <> '{{}}' OR EXISTS (
               SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id AND l.reference_guids <> '{{}}')
           ELSE o.references_dirty END
  FROM staged_outcome s JOIN provisioning_change c ON {OF_BATCH}
 WHERE s.object_id IS NULL AND s.error_code = '' AND o.id = c.source_id
"""  # noqa: S608 — built from constants only


def read_batch(batch: Batch) -> list[ObjectChange]:
    """The changes of a batch that are still to be applied, but for creations."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, batch.parameters())
        return [
            ObjectChange(key, ChangeKind(kind), ObjectType(object_type), target_id, anchor, document)
            for key, kind, object_type, target_id, anchor, document in cursor.fetchall()
        ]


def record(
    configuration: UUID,
    batch: Batch,
    others: Sequence[Outcome],
    redacted: Sequence[str],
    now: datetime,
    *,
    is_wanted_by_ad: bool = True,
) -> tuple[int, int]:
    """Store outcomes, links and log rows of the staged creations and of ``others``; returns (applied, failed).

    What Active Directory does not want fails without going into escrow.
    """
    parameters: dict[str, Any] = {"now": now, **batch.parameters()}
    with connection.cursor() as cursor:
        outcomes.add(cursor, batch, others)
        counts = outcomes.count(cursor)
        # The log first: it tells old values, which the links hold until they are refreshed.
        logs.write_staged(cursor, configuration, batch, counts, redacted, now)
        if is_wanted_by_ad:
            escrow.keep_outcomes(cursor, counts, now)
        cursor.execute(SETTLE, parameters)
        if counts.creations:
            creations.record(cursor, configuration, counts, now)
        if counts.others:
            for statement in (_RELINK, _REFRESH, _UNLINK, _CLEAN):
                cursor.execute(statement, parameters)
            _forget_memberships(cursor, parameters)
        return counts.applied, counts.failed


def _forget_memberships(cursor: Any, parameters: Mapping[str, Any]) -> None:
    """Of what was deleted."""
    cursor.execute(_DELETED, parameters)
    if deleted := [row[0] for row in cursor.fetchall()]:
        cursor.execute(_KEEP_MEMBERSHIPS, {**parameters, "sources": deleted})
        written_members.forget(cursor, deleted)


def forget_references(batch: Batch, now: datetime) -> None:
    """After :func:`record` of deletions: nothing in the target refers to what was deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_REFERENCES, {"now": now, **batch.parameters()})

"""Reading batches of planned changes, and recording what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from provisioning.models import ChangeKind, ObjectType
from provisioning.store import escrow, logs, outcomes
from provisioning.store.outbound import ObjectChange, Outcome

# Creations are staged by :mod:`creations`.
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
 WHERE c.cycle_id = %s AND c.phase = %s AND c.batch = %s AND c.status = 'planned' AND c.kind <> 'create'
 ORDER BY c.id
"""
# A creation that took an object over which another source object once had: the link passes on.
_HAND_OVER = """
DELETE FROM provisioning_link l
 USING staged_outcome s JOIN provisioning_change c ON c.id = s.change_id AND c.kind = 'create'
 WHERE s.error_code = '' AND s.target_id <> c.proposed_id::text AND l.configuration_id = %(configuration)s
   AND l.target_id = s.target_id AND l.source_id <> c.source_id AND l.state = 'deleted'
"""
# ... or still has: two source objects with one anchor, of which the later one fails.
_REFUSE_SHARED = """
UPDATE staged_outcome s SET error_code = 'AttributeValueMustBeUnique', target_id = NULL, error_detail =
       'SourceAnchorBinary: another object of the domain has the same source anchor. Change one of the two.'
  FROM provisioning_change c
 WHERE c.id = s.change_id AND c.kind = 'create' AND s.error_code = '' AND s.target_id <> c.proposed_id::text
   AND EXISTS (SELECT 1 FROM provisioning_link l
                WHERE l.configuration_id = %(configuration)s AND l.target_id = s.target_id
                  AND l.source_id <> c.source_id)
"""
_SETTLE = """
UPDATE provisioning_change c
   SET status = CASE WHEN s.error_code = '' THEN 'applied' ELSE 'failed' END,
       error_code = s.error_code, error_detail = s.error_detail
  FROM staged_outcome s WHERE c.id = s.change_id
"""
# The whole of what is wanted was written, or only what differed; either way the target now holds it. A restore that
# names its attributes is an undo's.
_LINK = """
INSERT INTO provisioning_link AS l (
    source_id, configuration_id, target_id, state, exported, exported_hash, reference_guids, linked_at, updated_at)
SELECT o.id, o.configuration_id, s.target_id, 'active',
       CASE WHEN c.new <> '{}' THEN c.new
            ELSE coalesce(s.document, jsonb_strip_nulls(o.create_only || o.wanted)) END,
       o.wanted_hash, s.reference_guids, %(now)s, %(now)s
  FROM staged_outcome s
  JOIN provisioning_change c ON c.id = s.change_id AND c.kind IN ('create', 'restore')
  JOIN provisioning_sourceobject o ON o.id = c.source_id
 WHERE s.error_code = ''
ON CONFLICT (source_id) DO UPDATE SET
    target_id = excluded.target_id, state = 'active', exported = excluded.exported,
    exported_hash = excluded.exported_hash, updated_at = excluded.updated_at,
    -- What an object holds when it comes back is the target's affair: unknown (JSON null), so written again.
    reference_guids = (SELECT coalesce(jsonb_object_agg(key, NULL), '{}')
                         FROM jsonb_object_keys(l.reference_guids) AS key) || excluded.reference_guids
"""
_REFRESH = """
UPDATE provisioning_link l
   SET exported = jsonb_strip_nulls(l.exported || c.new), exported_hash = o.wanted_hash, updated_at = %(now)s
  FROM staged_outcome s
  JOIN provisioning_change c ON c.id = s.change_id AND c.kind IN ('update', 'disable')
  JOIN provisioning_sourceobject o ON o.id = c.source_id
 WHERE s.error_code = '' AND l.source_id = o.id
"""
_UNLINK = """
UPDATE provisioning_link l SET state = 'deleted', updated_at = %(now)s
  FROM staged_outcome s JOIN provisioning_change c ON c.id = s.change_id AND c.kind = 'delete'
 WHERE s.error_code = '' AND l.source_id = c.source_id
"""
# What a deletion takes along is kept as changes of its cycle, so that an undo can bring it back.
_FORGET_MEMBERSHIPS = """
WITH forgotten AS (
    DELETE FROM provisioning_linkmember m
     USING staged_outcome s JOIN provisioning_change c ON c.id = s.change_id AND c.kind = 'delete'
     WHERE s.error_code = '' AND (m.group_id = c.source_id OR m.member_id = c.source_id)
    RETURNING c.cycle_id, m.group_id, m.member_id
)
INSERT INTO provisioning_memberchange (cycle_id, group_id, member_id, is_addition, batch, status, error_code)
SELECT cycle_id, group_id, member_id, false, 0, 'applied', '' FROM forgotten
"""
# A target drops references to what is deleted. Their holders are marked: they refer to it again when it returns.
# The index is provisioning_link_references.
_FORGET_REFERENCES = """
WITH deleted AS MATERIALIZED (
    SELECT o.guid::text AS guid, c.cycle_id, c.phase
      FROM staged_outcome s
      JOIN provisioning_change c ON c.id = s.change_id AND c.kind = 'delete'
      JOIN provisioning_sourceobject o ON o.id = c.source_id
     WHERE s.error_code = ''
), lost AS MATERIALIZED (
    SELECT l.source_id, name, d.guid, d.cycle_id, d.phase
      FROM provisioning_link l
      CROSS JOIN LATERAL jsonb_each_text(l.reference_guids) AS held (name, guid)
      JOIN deleted d ON d.guid = held.guid
     WHERE l.reference_guids <> '{}'
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
"""
# Failed objects stay dirty, so that the next plan tries them again.
_CLEAN = """
UPDATE provisioning_sourceobject o
   SET is_dirty = false,
       references_dirty = CASE c.kind WHEN 'create' THEN o.reference_guids <> s.reference_guids
           WHEN 'restore' THEN o.references_dirty OR o.reference_guids <> '{}' OR EXISTS (
               SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id AND l.reference_guids <> '{}')
           ELSE o.references_dirty END
  FROM staged_outcome s JOIN provisioning_change c ON c.id = s.change_id
 WHERE s.error_code = '' AND o.id = c.source_id
"""


def read_batch(cycle: int, phase: int, batch: int) -> list[ObjectChange]:
    """The changes of a batch that are still to be applied, but for creations."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, [cycle, phase, batch])
        return [
            ObjectChange(key, ChangeKind(kind), ObjectType(object_type), target_id, anchor, document)
            for key, kind, object_type, target_id, anchor, document in cursor.fetchall()
        ]


def record(
    configuration: UUID,
    others: Sequence[Outcome],
    redacted: Sequence[str],
    now: datetime,
    *,
    is_wanted_by_ad: bool = True,
) -> tuple[int, int]:
    """Store outcomes, links and log rows of the staged creations and of ``others``; returns (applied, failed).

    What Active Directory does not want fails without going into escrow.
    """
    parameters = {"now": now}
    with connection.cursor() as cursor:
        outcomes.add(cursor, others)
        outcomes.complete(cursor)
        cursor.execute(_HAND_OVER, {"configuration": configuration})
        cursor.execute(_REFUSE_SHARED, {"configuration": configuration})
        # The log first: it tells old values, which the links hold until they are refreshed.
        logs.write_changes(cursor, configuration, redacted, now)
        if is_wanted_by_ad:
            escrow.keep_outcomes(cursor, now)
        for statement in (_SETTLE, _LINK, _REFRESH, _UNLINK, _FORGET_MEMBERSHIPS, _CLEAN):
            cursor.execute(statement, parameters)
        return outcomes.count(cursor)


def forget_references(now: datetime) -> None:
    """After :func:`record` of deletions: nothing in the target refers to what was deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_REFERENCES, {"now": now})

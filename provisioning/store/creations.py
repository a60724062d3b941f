"""Creations: planned, staged and recorded set-based, for most of an initial cycle is creations.

What is recorded of a creation is staged with it, so that neither log nor link reads the wide source rows again.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from directory.services.inserting import insert_new
from provisioning.engine.flow import ValueRules
from provisioning.models import ChangeKind, ObjectType
from provisioning.store import outcomes
from provisioning.store.batches import Batch
from provisioning.store.outbound import ObjectChange, Outcome, Reference, StagedCreations

# What decide() of engine.plan says of an object that is wanted and has no link, for all of them at once.
_PLAN = """
INSERT INTO provisioning_change (cycle_id, source_id, object_type, kind, phase, batch, proposed_id, old, new, status,
                                 error_code, error_detail)
SELECT %(cycle)s, o.id, o.object_type, 'create', %(phase)s, (row_number() OVER (ORDER BY o.id) - 1) / %(size)s,
       (%(ids)s || lpad(to_hex(o.id), 12, '0'))::uuid, '{{}}', '{{}}', 'planned', '', ''
  FROM provisioning_sourceobject o
 WHERE o.configuration_id = %(configuration)s AND o.in_scope AND NOT o.is_gone AND o.error_code = ''
   AND o.object_type = ANY(%(types)s) {marked}
   AND NOT EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
   AND NOT EXISTS (SELECT 1 FROM provisioning_escrow e
                    WHERE e.source_id = o.id AND (e.retry_at IS NULL OR e.retry_at > %(now)s)
                      AND e.wanted_hash = o.wanted_hash AND e.was_wanted)
"""
_MARKED: Final = "AND o.is_dirty"
# References to what is in the target, or is created in this cycle under its proposed id, travel with the creation.
# Many refer to the same few: each of these is looked up once.
_STAGE = """
WITH batch AS MATERIALIZED (
    SELECT c.id AS change_id, c.proposed_id, c.object_type, o.id AS source_id, o.guid, o.dn, o.wanted, o.create_only,
           o.has_nulls, o.wanted_hash, o.reference_guids, o.is_dirty, o.references_dirty
      FROM provisioning_change c
      JOIN provisioning_sourceobject o ON o.id = c.source_id
     WHERE c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s AND c.status = 'planned'
       AND c.kind = 'create'
), referents AS MATERIALIZED (
    SELECT a.guid, coalesce(al.target_id, ac.proposed_id::text) AS target_id
      FROM (SELECT DISTINCT value::uuid AS guid
              FROM batch b CROSS JOIN unnest(%(names)s::text[]) AS name CROSS JOIN LATERAL (
                   SELECT b.reference_guids->>name) AS reference (value) WHERE value IS NOT NULL) named
      JOIN provisioning_sourceobject a
        ON a.configuration_id = %(configuration)s AND a.guid = named.guid AND a.in_scope AND NOT a.is_gone
      LEFT JOIN provisioning_link al ON al.source_id = a.id AND al.state = 'active'
      LEFT JOIN provisioning_change ac
             ON ac.source_id = a.id AND ac.cycle_id = %(cycle)s AND ac.kind = 'create' AND ac.status = 'planned'
     WHERE al.source_id IS NOT NULL OR ac.id IS NOT NULL
), referring AS (
    SELECT b.*, {written} AS written, {found} AS found
      FROM batch b {referents}
)
INSERT INTO staged_outcome (change_id, source_id, target_id, error_code, error_detail, reference_guids, object_type,
                            object_id, anchor, document, references_found, wanted_hash, source_guid, source_name,
                            is_marked)
SELECT change_id, source_id, proposed_id::text, '', '', written, object_type, proposed_id,
       wanted->>'SourceAnchorBinary',
       CASE WHEN has_nulls THEN jsonb_strip_nulls(create_only || wanted) ELSE create_only || wanted END,
       found, wanted_hash, guid, dn,
       is_dirty OR references_dirty <> (reference_guids <> written)
  FROM referring ORDER BY change_id
"""
# Of each reference attribute.
_REFERENT: Final = """
      LEFT JOIN referents r{n} ON r{n}.guid = (b.reference_guids->>%(name{n})s)::uuid
       AND b.object_type = ANY(%(holders{n})s::smallint[])"""
_WRITTEN: Final = (
    "CASE WHEN r{n}.guid IS NULL THEN '{{}}' ELSE jsonb_build_object(%(name{n})s::text, r{n}.guid) END"
)
_FOUND: Final = """CASE WHEN r{n}.guid IS NULL THEN '{{}}'
           ELSE jsonb_build_object(%(name{n})s::text, jsonb_build_array(r{n}.guid, r{n}.target_id)) END"""
_NOTHING: Final = "'{}'::jsonb"
_READ = """
SELECT change_id, object_type, anchor, document::text, target_id, references_found::text
  FROM staged_outcome WHERE object_id IS NOT NULL ORDER BY change_id
"""
# A creation that took an object over which another source object once had: the link passes on.
_HAND_OVER = """
DELETE FROM provisioning_link l
 USING staged_outcome s
 WHERE s.object_id IS NOT NULL AND s.error_code = '' AND s.target_id <> s.object_id::text
   AND l.configuration_id = %(configuration)s AND l.target_id = s.target_id AND l.source_id <> s.source_id
   AND l.state = 'deleted'
"""
# ... or still has: two source objects with one anchor, of which the later one fails.
_REFUSE_SHARED = """
UPDATE staged_outcome s SET error_code = 'AttributeValueMustBeUnique', target_id = NULL, error_detail =
       'SourceAnchorBinary: another object of the domain has the same source anchor. Change one of the two.'
 WHERE s.object_id IS NOT NULL AND s.error_code = '' AND s.target_id <> s.object_id::text
   AND EXISTS (SELECT 1 FROM provisioning_link l
                WHERE l.configuration_id = %(configuration)s AND l.target_id = s.target_id
                  AND l.source_id <> s.source_id)
"""
# For an object that has a link already. What it holds when it comes back is the target's affair: its references are
# unknown (JSON null), so written again.
ON_LINKED: Final = """
ON CONFLICT (source_id) DO UPDATE SET
    target_id = excluded.target_id, state = 'active', exported = excluded.exported,
    exported_hash = excluded.exported_hash, updated_at = excluded.updated_at,
    reference_guids = (SELECT coalesce(jsonb_object_agg(key, NULL), '{}')
                         FROM jsonb_object_keys(l.reference_guids) AS key) || excluded.reference_guids
"""
_LINK: Final = """
INSERT INTO provisioning_link AS l (
    source_id, configuration_id, target_id, state, exported, exported_hash, reference_guids, linked_at, updated_at)
SELECT s.source_id, %(configuration)s, s.target_id, 'active', s.document, s.wanted_hash, s.reference_guids, %(now)s,
       %(now)s
  FROM staged_outcome s WHERE s.object_id IS NOT NULL AND s.error_code = ''
"""
# Source rows are wide: those that are marked as they have to be are not written again.
_CLEAN = """
UPDATE provisioning_sourceobject o
   SET is_dirty = false, references_dirty = o.reference_guids <> s.reference_guids
  FROM staged_outcome s
 WHERE s.object_id IS NOT NULL AND s.error_code = '' AND s.is_marked AND o.id = s.source_id
"""
# What could not be created is for the next plan to try again. An initial cycle creates objects that nobody has marked.
_MARK_FAILED = """
UPDATE provisioning_sourceobject o SET is_dirty = true
  FROM staged_outcome s
 WHERE s.object_id IS NOT NULL AND s.error_code <> '' AND o.id = s.source_id AND NOT o.is_dirty
"""


def plan(
    configuration: UUID,
    cycle: int,
    phase: int,
    batch_size: int,
    types: Sequence[int],
    now: datetime,
    *,
    everything: bool = False,
) -> int:
    """Plan a creation for every object of these types that is wanted and was never in the target; returns how many.

    Only marked objects are looked at, unless ``everything`` is. Objects in escrow wait for their time unless they
    changed since they failed.
    """
    parameters: dict[str, Any] = {
        "configuration": configuration,
        "cycle": cycle,
        "phase": phase,
        "size": batch_size,
        "types": list(types),
        "now": now,
        "ids": _ids(now),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PLAN.format(marked="" if everything else _MARKED), parameters)
        return int(cursor.rowcount)


def stage(
    configuration: UUID,
    batch: Batch,
    references: Mapping[str, Sequence[ObjectType]],
    rules: Mapping[ObjectType, ValueRules],
) -> StagedCreations:
    """Begin the batch and stage its creations that are still to be written.

    ``references`` names the reference attributes that the target writes with a creation, and of which types. ``rules``
    are for creations that turn out to be of objects that are there.
    """
    parameters: dict[str, Any] = {
        "configuration": configuration,
        **batch.parameters(),
        "names": list(references),
    }
    for number, (name, types) in enumerate(references.items()):
        parameters |= {f"name{number}": name, f"holders{number}": [int(one) for one in types]}
    with connection.cursor() as cursor:
        outcomes.clear(cursor)
        cursor.execute(_stage_with(len(references)), parameters)
        return StagedCreations(outcomes.TABLE, int(cursor.rowcount), _read, rules)


def _stage_with(references: int) -> str:
    """The statement for so many reference attributes."""
    numbers = range(references)
    return _STAGE.format(
        written=" || ".join([_WRITTEN.format(n=n) for n in numbers]) or _NOTHING,
        found=" || ".join([_FOUND.format(n=n) for n in numbers]) or _NOTHING,
        referents="".join([_REFERENT.format(n=n) for n in numbers]),
    )


def settle(configuration: UUID, exceptions: Sequence[Outcome]) -> None:
    """Note what became of those that were not created under their proposed id."""
    if not exceptions:
        return
    with connection.cursor() as cursor:
        outcomes.note(cursor, exceptions)
        cursor.execute(_HAND_OVER, {"configuration": configuration})
        cursor.execute(_REFUSE_SHARED, {"configuration": configuration})


def record(cursor: Any, configuration: UUID, counts: outcomes.Counts, now: datetime) -> None:
    """Link what was created, and mark whose creation or whose references are still to come."""
    parameters = {"configuration": configuration, "now": now}
    # Somebody may have linked one of them since the plan.
    insert_new(cursor, _LINK, parameters, ON_LINKED)
    if counts.marked:
        cursor.execute(_CLEAN)
    if counts.failed:
        cursor.execute(_MARK_FAILED)


def _ids(now: datetime) -> str:
    """The first twenty digits of the ids that a plan proposes, as UUIDs of version 7 have them (RFC 9562).

    The other twelve are the source object's id. New ids then go to the end of the indexes that they are in, and to
    make them takes a fifth of what random ones take.
    """
    variant = 8 | secrets.randbits(2)
    return (
        f"{int(now.timestamp() * 1000):012x}7{secrets.randbits(12):03x}{variant:x}{secrets.randbits(12):03x}"
    )


def _read() -> Iterator[ObjectChange]:
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        for key, object_type, anchor, document, proposed_id, found in cursor.fetchall():
            references = {name: Reference(*pair) for name, pair in orjson.loads(found).items()}
            kind, of_type = ChangeKind.CREATE, ObjectType(object_type)
            yield ObjectChange(key, kind, of_type, None, anchor, document, proposed_id, references)

"""Creations: planned and staged set-based, for most of an initial cycle is creations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from provisioning.engine.flow import ValueRules
from provisioning.models import ChangeKind, ObjectType
from provisioning.store import outcomes
from provisioning.store.outbound import ObjectChange, Outcome, Reference, StagedCreations

# What decide() of engine.plan says of an object that is wanted and has no link, for all of them at once.
_PLAN = """
INSERT INTO provisioning_change (cycle_id, source_id, object_type, kind, phase, batch, old, new, status,
                                 error_code, error_detail)
SELECT %(cycle)s, o.id, o.object_type, 'create', %(phase)s, (row_number() OVER (ORDER BY o.id) - 1) / %(size)s,
       '{}', '{}', 'planned', '', ''
  FROM provisioning_sourceobject o
 WHERE o.configuration_id = %(configuration)s AND o.is_dirty AND o.in_scope AND NOT o.is_gone AND o.error_code = ''
   AND o.object_type = ANY(%(types)s)
   AND NOT EXISTS (SELECT 1 FROM provisioning_link l WHERE l.source_id = o.id)
   AND NOT EXISTS (SELECT 1 FROM provisioning_escrow e
                    WHERE e.source_id = o.id AND (e.retry_at IS NULL OR e.retry_at > %(now)s)
                      AND e.wanted_hash = o.wanted_hash AND e.was_wanted)
"""
# References to what is in the target, or is created in this cycle under its proposed id, travel with the creation.
_STAGE = """
INSERT INTO staged_outcome (change_id, target_id, error_code, error_detail, reference_guids, object_type, object_id,
                            anchor, document, references_found)
SELECT c.id, c.proposed_id::text, '', '', coalesce(f.guids, '{}'), c.object_type, c.proposed_id,
       o.wanted->>'SourceAnchorBinary', jsonb_strip_nulls(o.create_only || o.wanted), coalesce(f.found, '{}')
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN LATERAL (
      SELECT jsonb_object_agg(p.key, p.value) AS guids,
             jsonb_object_agg(p.key, jsonb_build_array(p.value, coalesce(al.target_id, ac.proposed_id::text))) AS found
        FROM jsonb_each_text(o.reference_guids) AS p
        JOIN provisioning_sourceobject a ON a.configuration_id = o.configuration_id AND a.guid = p.value::uuid
             AND a.in_scope AND NOT a.is_gone
        LEFT JOIN provisioning_link al ON al.source_id = a.id AND al.state = 'active'
        LEFT JOIN provisioning_change ac
               ON ac.source_id = a.id AND ac.cycle_id = c.cycle_id AND ac.kind = 'create' AND ac.status = 'planned'
       WHERE (al.source_id IS NOT NULL OR ac.id IS NOT NULL)
         AND (p.key, c.object_type) IN (SELECT * FROM unnest(%(names)s::text[], %(holders)s::smallint[]))
  ) f ON o.reference_guids <> '{}'
 WHERE c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s AND c.status = 'planned'
   AND c.kind = 'create'
 ORDER BY c.id
"""
_READ = """
SELECT change_id, object_type, anchor, document::text, target_id, references_found::text
  FROM staged_outcome WHERE object_id IS NOT NULL ORDER BY change_id
"""


def plan(
    configuration: UUID, cycle: int, phase: int, batch_size: int, types: Sequence[int], now: datetime
) -> int:
    """Plan a creation for every object of these types that is wanted and was never in the target; returns how many.

    Objects in escrow wait for their time unless they changed since they failed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN,
            {
                "configuration": configuration,
                "cycle": cycle,
                "phase": phase,
                "size": batch_size,
                "types": list(types),
                "now": now,
            },
        )
        return int(cursor.rowcount)


def stage(
    cycle: int,
    phase: int,
    batch: int,
    references: Mapping[str, Sequence[ObjectType]],
    rules: Mapping[ObjectType, ValueRules],
) -> StagedCreations:
    """Begin the batch and stage its creations that are still to be written.

    ``references`` names the reference attributes that the target writes with a creation, and of which types. ``rules``
    are for creations that turn out to be of objects that are there.
    """
    pairs = [(name, int(one)) for name, types in references.items() for one in types]
    parameters: dict[str, Any] = {"cycle": cycle, "phase": phase, "batch": batch}
    parameters |= {"names": [name for name, _ in pairs], "holders": [one for _, one in pairs]}
    with connection.cursor() as cursor:
        outcomes.clear(cursor)
        cursor.execute(_STAGE, parameters)
        return StagedCreations(outcomes.TABLE, int(cursor.rowcount), _read, rules)


def settle(exceptions: Sequence[Outcome]) -> None:
    """Note what became of those that were not created under their proposed id."""
    with connection.cursor() as cursor:
        outcomes.note(cursor, exceptions)


def _read() -> Iterator[ObjectChange]:
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        for key, object_type, anchor, document, proposed_id, found in cursor.fetchall():
            references = {name: Reference(*pair) for name, pair in orjson.loads(found).items()}
            kind, of_type = ChangeKind.CREATE, ObjectType(object_type)
            yield ObjectChange(key, kind, of_type, None, anchor, document, proposed_id, references)

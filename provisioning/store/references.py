"""Reference attributes (manager): planned once both ends exist, and kept in mind until then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.models import ObjectType
from provisioning.store import changes, locks, logs, missing, outcomes
from provisioning.store.batches import Batch
from provisioning.store.outbound import Outcome, ReferenceChange
from provisioning.store.outcomes import OF_BATCH

# Creations write references to objects that are created in the same cycle under their proposed ids. Where such an
# object could not be created, or was found under another id, the reference is taken for unknown (JSON null), so
# that it is written again, or cleared.
_STRAYS = """
SELECT c.source_id
  FROM provisioning_change c
  LEFT JOIN provisioning_link l ON l.source_id = c.source_id AND l.state = 'active'
 WHERE c.cycle_id = %(cycle)s AND c.kind = 'create' AND l.target_id IS DISTINCT FROM c.proposed_id::text
"""
_DOUBT = """
WITH astray AS (
    SELECT l.source_id, jsonb_object_agg(p.key, NULL::text) AS doubtful
      FROM provisioning_change c
      JOIN provisioning_link l ON l.source_id = c.source_id
      CROSS JOIN LATERAL jsonb_each_text(l.reference_guids) AS p
     WHERE c.cycle_id = %(cycle)s AND c.kind = 'create'
       AND p.value IN (SELECT guid::text FROM provisioning_sourceobject WHERE id = ANY(%(strays)s))
     GROUP BY l.source_id
), unlinked AS (
    UPDATE provisioning_link l SET reference_guids = l.reference_guids || a.doubtful
      FROM astray a WHERE l.source_id = a.source_id
)
UPDATE provisioning_sourceobject o SET references_dirty = true FROM astray a WHERE o.id = a.source_id
"""
# One row for each reference attribute that differs. What it refers to must be in the target, and stay there: the
# deletions of this cycle come later. Where it does not, the target's old value is cleared, and so is a value of which
# we do not know what the target made (JSON null).
_PLAN = """
WITH marked AS (
    SELECT o.id, o.object_type, o.reference_guids AS wanted, l.reference_guids AS exported
      FROM provisioning_sourceobject o
      JOIN provisioning_link l ON l.source_id = o.id AND l.state = 'active'
     WHERE o.configuration_id = %(configuration)s AND o.references_dirty AND o.in_scope AND NOT o.is_gone
       AND (o.object_type = ANY(%(updated)s)
            OR EXISTS (SELECT 1 FROM provisioning_change c
                        WHERE c.cycle_id = %(cycle)s AND c.source_id = o.id AND c.kind IN ('create', 'restore')))
       AND (%(only)s::bigint IS NULL OR o.id = %(only)s)
), differing AS (
    SELECT m.id, m.object_type, name, m.exported->>name AS old_guid, m.wanted->>name AS new_guid,
           m.exported ? name AS is_held, {filled} OR {once} AS is_kept
      FROM marked m, LATERAL (
           SELECT jsonb_object_keys(m.wanted) UNION SELECT jsonb_object_keys(m.exported)) AS names (name)
     WHERE m.wanted->name IS DISTINCT FROM m.exported->name
       -- As engine.flow.stays says.
       AND NOT (m.exported->>name IS NOT NULL AND {filled})
       AND NOT ((NOT m.exported ? name OR m.exported->>name IS NOT NULL) AND {once})
), resolved AS (
    SELECT d.id, d.object_type, d.name, d.old_guid, CASE WHEN l.source_id IS NOT NULL THEN d.new_guid END AS new_guid
      FROM differing d
      LEFT JOIN provisioning_sourceobject o ON o.configuration_id {home} AND o.guid = d.new_guid::uuid
      LEFT JOIN provisioning_link l ON l.source_id = o.id AND l.state = 'active' AND NOT EXISTS (
           SELECT 1 FROM provisioning_change c
            WHERE c.cycle_id = %(cycle)s AND c.source_id = o.id AND c.kind = 'delete')
     WHERE d.is_held AND NOT d.is_kept OR l.source_id IS NOT NULL
), numbered AS (
    SELECT *, (row_number() OVER (ORDER BY id, name) - 1) / %(size)s AS batch FROM resolved
)
INSERT INTO provisioning_change (cycle_id, source_id, object_type, kind, phase, batch, old, new, status,
                                 error_code, error_detail)
SELECT %(cycle)s, id, object_type, 'reference', %(phase)s, batch, jsonb_build_object(name, old_guid),
       jsonb_build_object(name, new_guid), 'planned', '', ''
  FROM numbered
"""
_FILLED = "(name, m.object_type) IN (SELECT * FROM unnest(%(filled)s::text[], %(filled_of)s::smallint[]))"
_ONCE = "(name, m.object_type) IN (SELECT * FROM unnest(%(once)s::text[], %(once_of)s::smallint[]))"
# A reference that is written at creation alone, to what was not there: JSON null says that it is still to come.
_OWE = """
UPDATE provisioning_link l SET reference_guids = l.reference_guids || owed.names
  FROM (SELECT c.source_id, jsonb_object_agg(p.key, NULL::text) AS names
          FROM provisioning_change c
          JOIN provisioning_sourceobject o ON o.id = c.source_id
          JOIN provisioning_link k ON k.source_id = o.id
          CROSS JOIN LATERAL jsonb_each_text(o.reference_guids) AS p
         WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status = 'applied'
           AND NOT k.reference_guids ? p.key
           AND (p.key, o.object_type) IN (SELECT * FROM unnest(%(once)s::text[], %(once_of)s::smallint[]))
         GROUP BY c.source_id) owed
 WHERE l.source_id = owed.source_id
"""
_COUNT = """
UPDATE provisioning_cycle SET count_planned = count_planned + %(planned)s WHERE id = %(cycle)s
"""
_READ = """
SELECT c.id, c.object_type, l.target_id, property.key, r.target_id
  FROM provisioning_change c
  JOIN provisioning_link l ON l.source_id = c.source_id
  CROSS JOIN LATERAL jsonb_each_text(c.new) AS property
  LEFT JOIN LATERAL (
      SELECT k.target_id
        FROM provisioning_sourceobject s JOIN provisioning_link k ON k.source_id = s.id AND k.state = 'active'
       WHERE s.configuration_id = ANY(%(home)s) AND s.guid = property.value::uuid LIMIT 1
  ) r ON true
 WHERE c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s AND c.status = 'planned'
 ORDER BY c.id
"""
_REFRESH = f"""
WITH written AS (
    SELECT c.source_id, jsonb_object_agg(property.key, property.value) AS guids
      FROM staged_outcome s
      JOIN provisioning_change c ON {OF_BATCH}
      CROSS JOIN LATERAL jsonb_each(c.new) AS property
     WHERE s.error_code = '' GROUP BY c.source_id
)
UPDATE provisioning_link l
   SET reference_guids = jsonb_strip_nulls(l.reference_guids || w.guids), updated_at = %(now)s
  FROM written w WHERE l.source_id = w.source_id
"""  # noqa: S608 — built from constants only
_CLEAN = """
UPDATE provisioning_sourceobject o SET references_dirty = false
  FROM staged_outcome s JOIN provisioning_link l ON l.source_id = s.source_id
 WHERE o.id = s.source_id AND o.reference_guids = l.reference_guids
"""


@dataclass(frozen=True, slots=True)
class KeptReferences:
    """Reference attributes with their object types: those written while there is none, and those of a creation."""

    filled: Sequence[tuple[str, int]] = ()
    once: Sequence[tuple[str, int]] = ()

    def parameters(self) -> dict[str, Any]:
        """As the statements take them."""
        return {
            "filled": [name for name, _ in self.filled],
            "filled_of": [kind for _, kind in self.filled],
            "once": [name for name, _ in self.once],
            "once_of": [kind for _, kind in self.once],
        }


def wake(cycle: int, target: int, home: Sequence[UUID]) -> None:
    """Mark whoever waits, in the configurations ``home`` of a target, for what a cycle has created or restored."""
    if missing.are_awaited(cycle):
        locks.lock_references(target)
        missing.wake(cycle, home)


def plan(
    configuration: UUID,
    cycle: int,
    phase: int,
    batch_size: int,
    updated: list[int],
    *,
    kept: KeptReferences,
    target: int,
    only: int | None = None,
    others: Sequence[UUID] = (),
) -> None:
    """Plan the references that differ and can be resolved, in the configuration or in ``others`` of its target.

    Those that can not are set aside (:mod:`missing`). ``updated`` are the object types whose mapping lets updates
    flow; others get references with their creation. ``kept`` do not simply follow the source. ``only`` is the one
    object to look at.
    """
    parameters: dict[str, Any] = {
        "configuration": configuration,
        "cycle": cycle,
        "phase": phase,
        "size": batch_size,
        "home": [configuration, *others],
        **kept.parameters(),
    }
    home = "= ANY(%(home)s)" if others else "= %(configuration)s"
    with connection.cursor() as cursor:
        cursor.execute(_STRAYS, {"cycle": cycle})
        strays = [row[0] for row in cursor.fetchall()]
        if strays:
            cursor.execute(_DOUBT, {"cycle": cycle, "strays": strays})
        if kept.once:
            cursor.execute(_OWE, parameters)
        if not missing.are_marked(configuration):
            return
        locks.lock_references(target)
        cursor.execute(
            _PLAN.format(home=home, filled=_FILLED, once=_ONCE),
            {**parameters, "updated": updated, "only": only},
        )
        planned = cursor.rowcount
        if planned:
            cursor.execute(_COUNT, {"planned": planned, "cycle": cycle})
        missing.set_aside(configuration, cycle, updated, only)


def read_batch(batch: Batch, home: Sequence[UUID]) -> list[ReferenceChange]:
    """The references of a batch that are still to be written, to objects of the configurations ``home``."""
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"home": list(home), **batch.parameters()})
        return [
            ReferenceChange(key, ObjectType(object_type), target_id, attribute, referenced_id)
            for key, object_type, target_id, attribute, referenced_id in cursor.fetchall()
        ]


def record(configuration: UUID, batch: Batch, written: Sequence[Outcome], now: datetime) -> tuple[int, int]:
    """Store outcomes, what the links now hold, and log rows; returns (applied, failed)."""
    parameters: dict[str, Any] = {"now": now, **batch.parameters()}
    with connection.cursor() as cursor:
        outcomes.clear(cursor)
        outcomes.add(cursor, batch, written)
        counts = outcomes.count(cursor)
        logs.write_staged(cursor, configuration, batch, counts, (), now)
        for statement in (changes.SETTLE, _REFRESH, _CLEAN):
            cursor.execute(statement, parameters)
        return counts.applied, counts.failed

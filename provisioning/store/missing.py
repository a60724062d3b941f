"""References to what is not in the target: set aside until it appears, so that no cycle looks for it in vain.

Two configurations of one target may meet here: one sets an object aside while the other writes what it waits for. Who
comes here holds the target's lock (:func:`locks.lock_references`). The one that is second then sees what the first one
did, for each statement has a snapshot of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

_ARE_MARKED = """
SELECT EXISTS (SELECT 1 FROM provisioning_sourceobject WHERE configuration_id = %s AND references_dirty)
"""
_ARE_AWAITED = """
SELECT EXISTS (SELECT 1 FROM provisioning_missingreference)
   AND EXISTS (SELECT 1 FROM provisioning_change WHERE cycle_id = %s AND kind IN ('create', 'restore'))
"""
# Holders of other domains' references too.
_WAKE = """
WITH woken AS (
    DELETE FROM provisioning_missingreference m
     USING provisioning_change c
      JOIN provisioning_sourceobject o ON o.id = c.source_id, provisioning_sourceobject holder
     WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status = 'applied' AND m.guid = o.guid
       AND holder.id = m.source_id AND holder.configuration_id = ANY(%(home)s)
    RETURNING m.source_id
)
UPDATE provisioning_sourceobject o SET references_dirty = true FROM woken w WHERE o.id = w.source_id
"""
# What is marked and got no change in this cycle. What is not in the target is marked again by its creation, what is out
# of scope when it returns, and what may not be updated when the mapping lets it.
_SET_ASIDE = """
WITH unplanned AS MATERIALIZED (
    SELECT o.id, o.reference_guids AS wanted, l.reference_guids AS exported,
           o.in_scope AND NOT o.is_gone AND o.object_type = ANY(%(updated)s) AND l.source_id IS NOT NULL AS waits
      FROM provisioning_sourceobject o
      LEFT JOIN provisioning_link l ON l.source_id = o.id AND l.state = 'active'
     WHERE o.configuration_id = %(configuration)s AND o.references_dirty
       AND (%(only)s::bigint IS NULL OR o.id = %(only)s)
       AND NOT EXISTS (SELECT 1 FROM provisioning_change c
                        WHERE c.cycle_id = %(cycle)s AND c.source_id = o.id AND c.kind = 'reference')
), waiting AS (
    INSERT INTO provisioning_missingreference (source_id, guid)
    SELECT DISTINCT u.id, p.value::uuid
      FROM unplanned u CROSS JOIN LATERAL jsonb_each_text(u.wanted) AS p
     WHERE u.waits AND u.exported->p.key IS DISTINCT FROM u.wanted->p.key
    ON CONFLICT DO NOTHING
)
UPDATE provisioning_sourceobject o SET references_dirty = false FROM unplanned u WHERE o.id = u.id
"""


def are_marked(configuration: UUID) -> bool:
    """Whether a configuration has references to look at."""
    return _exists(_ARE_MARKED, configuration)


def are_awaited(cycle: int) -> bool:
    """Whether a cycle has made what somebody may wait for."""
    return _exists(_ARE_AWAITED, cycle)


def wake(cycle: int, home: Sequence[UUID]) -> None:
    """Mark the objects of these configurations that wait for what a cycle has created or restored."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"cycle": cycle, "home": list(home)})


def set_aside(configuration: UUID, cycle: int, updated: list[int], only: int | None) -> None:
    """Once the references of a cycle are planned: what could not be resolved waits for what it refers to."""
    parameters: dict[str, Any] = {"configuration": configuration, "cycle": cycle}
    with connection.cursor() as cursor:
        cursor.execute(_SET_ASIDE, {**parameters, "updated": updated, "only": only})


def _exists(statement: str, key: UUID | int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return bool(cursor.fetchone()[0])

"""Whether a cycle that brought nothing has something to do all the same: one question, each part of it of an index.

Whatever makes the plan, and what follows it, act without an object in the answer has its part here.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from provisioning.store.planning import IS_TRIED_NOW

# Marks that earlier cycles, on-demand runs and other domains left; accounts that expire; groups that somebody from
# another domain has joined; a switch that was turned; what provisioning on demand saw for this cycle.
_PENDING = f"""
SELECT EXISTS (SELECT 1 FROM provisioning_sourceobject o LEFT JOIN provisioning_escrow e ON e.source_id = o.id
                WHERE o.configuration_id = %(configuration)s AND o.is_dirty AND {IS_TRIED_NOW})
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id = %(configuration)s AND members_dirty)
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id = %(configuration)s AND references_dirty)
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id = %(configuration)s AND state_changes_at <= %(now)s AND NOT is_gone)
    OR EXISTS (SELECT 1 FROM provisioning_arrival WHERE configuration_id = %(configuration)s)
    OR EXISTS (SELECT 1 FROM provisioning_configuration
                WHERE id = %(configuration)s AND nested_groups <> planned_nested_groups)
    OR EXISTS (SELECT 1 FROM provisioning_seenobject WHERE cycle_id = %(cycle)s)
"""  # noqa: S608 — built from constants only


def is_anything(configuration: UUID, cycle: int, now: datetime) -> bool:
    """Whether a plan would have anything to look at by now."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, {"configuration": configuration, "cycle": cycle, "now": now})
        return bool(cursor.fetchone()[0])

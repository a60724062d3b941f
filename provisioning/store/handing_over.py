"""What leaves one configuration while another of the same target has it: an account that moved to another domain of the
forest, or into the scope of another configuration. The object stays in the target and is that one's from then on.

The other order needs nothing: an object that was deleted comes back with its id when the other configuration brings it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.store import written_members
from provisioning.store.written_members import OF_GROUPS, OF_MEMBERS

# Who has the same target object and wants it.
_ELSEWHERE: Final = """
  JOIN LATERAL (
      SELECT other.source_id
        FROM provisioning_configuration beside
        JOIN provisioning_link other
          ON other.configuration_id = beside.id AND other.target_id = l.target_id AND other.state = 'active'
        JOIN provisioning_sourceobject s ON s.id = other.source_id AND s.in_scope AND NOT s.is_gone
       WHERE beside.target_id = %(target)s AND beside.id <> %(configuration)s
       ORDER BY other.source_id LIMIT 1
  ) elsewhere ON true"""
_IS_SHARED: Final = """
SELECT EXISTS (SELECT 1 FROM provisioning_configuration WHERE target_id = %(target)s AND id <> %(configuration)s)
"""
_BEFORE_PLAN: Final = f"""
SELECT o.id, elsewhere.source_id
  FROM provisioning_sourceobject o
  JOIN provisioning_link l ON l.source_id = o.id AND l.state = 'active' {_ELSEWHERE}
 WHERE o.configuration_id = %(configuration)s AND o.is_dirty AND (o.is_gone OR NOT o.in_scope)
"""  # noqa: S608 — built from constants only
_BEFORE_DELETIONS: Final = f"""
SELECT c.source_id, elsewhere.source_id
  FROM provisioning_change c
  JOIN provisioning_link l ON l.source_id = c.source_id AND l.state = 'active' {_ELSEWHERE}
 WHERE c.cycle_id = %(cycle)s AND c.phase = %(phase)s AND c.batch = %(batch)s AND c.kind = 'delete'
   AND c.status = 'planned'
"""  # noqa: S608 — built from constants only
_PAIRS: Final = "unnest(%(old)s::bigint[], %(new)s::bigint[]) AS pair (old, new)"
# Memberships that we wrote are the other one's too, so that it can end them. Its groups are looked at.
_GROUPS: Final = f"""
SELECT pair.new AS group_id, held.member_id FROM {_PAIRS} JOIN ({OF_GROUPS}) AS held ON held.group_id = pair.old
"""  # noqa: S608 — built from constants only
_MEMBERS: Final = f"""
SELECT held.group_id, pair.new AS member_id FROM {_PAIRS} JOIN ({OF_MEMBERS}) AS held ON held.member_id = pair.old
"""  # noqa: S608 — built from constants only
_TELL: Final = """
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT configuration_id, id FROM provisioning_sourceobject WHERE id = ANY(%(new)s) AND object_type = 2
"""
_LOG: Final = f"""
INSERT INTO provisioning_log (at, configuration_id, cycle_id, object_type, source_guid, source_name, target_id,
                              action, status, error_code, detail, modified)
SELECT %(now)s, o.configuration_id, %(cycle)s, o.object_type, o.guid, o.dn, l.target_id, 'Other', 'Skipped',
       'NotEffectivelyEntitled',
       'The object stays in the target: the configuration ' || c.name || ' has it now.', '[]'
  FROM {_PAIRS}
  JOIN provisioning_sourceobject o ON o.id = pair.old
  JOIN provisioning_link l ON l.source_id = o.id
  JOIN provisioning_sourceobject s ON s.id = pair.new
  JOIN provisioning_configuration c ON c.id = s.configuration_id
"""  # noqa: S608 — built from constants only
_DROP: Final = """
DELETE FROM provisioning_change WHERE cycle_id = %(cycle)s AND source_id = ANY(%(old)s) AND kind = 'delete'
"""
_STEPS: Final = (
    _TELL,
    _LOG,
    _DROP,
    "DELETE FROM provisioning_escrow WHERE source_id = ANY(%(old)s)",
    "DELETE FROM provisioning_link WHERE source_id = ANY(%(old)s)",
    "UPDATE provisioning_sourceobject SET is_dirty = false WHERE id = ANY(%(old)s)",
)


def before_plan(configuration: UUID, target: int, cycle: int, now: datetime) -> None:
    """Hand over what left the configuration, so that nothing of it is planned or counted by the delete guard."""
    parameters: dict[str, Any] = {
        "configuration": configuration,
        "target": target,
        "cycle": cycle,
        "now": now,
    }
    _hand_over(_BEFORE_PLAN, parameters)


def before_deletions(
    configuration: UUID, target: int, cycle: int, phase: int, batch: int, now: datetime
) -> None:
    """The same for what another configuration has taken since the plan; before a batch of deletions is written."""
    parameters: dict[str, Any] = {
        "configuration": configuration,
        "target": target,
        "cycle": cycle,
        "now": now,
    }
    _hand_over(_BEFORE_DELETIONS, {**parameters, "phase": phase, "batch": batch})


def _hand_over(find: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_IS_SHARED, parameters)
        if not cursor.fetchone()[0]:
            return
        cursor.execute(find, parameters)
        pairs = cursor.fetchall()
        if not pairs:
            return
        old = [one for one, _ in pairs]
        parameters |= {"old": old, "new": [new for _, new in pairs], "sources": old}
        written_members.add(cursor, _GROUPS, parameters)
        written_members.forget_groups(cursor, old)
        written_members.add(cursor, _MEMBERS, parameters)
        written_members.forget(cursor, old)
        for statement in _STEPS:
            cursor.execute(statement, parameters)

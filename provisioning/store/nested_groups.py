"""Groups within groups: what each way of writing them takes from the source, and which groups a change reaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db import connection

# The parts of the members' plan in which the two differ. UNION drops what was found before, so that a cycle of groups
# ends and a diamond counts once. What a group that is gone had as members is not known any more.
DIRECT: Final[Mapping[str, str]] = {
    "kinds": "",
    "edges": """edges AS (
    SELECT m.group_id, m.member_guid FROM groups g JOIN provisioning_sourcemember m ON m.group_id = g.id
)""",
}
FLATTENED: Final[Mapping[str, str]] = {
    "kinds": "AND o.object_type <> 2",
    "edges": """edges AS (
    SELECT m.group_id, m.member_guid FROM groups g JOIN provisioning_sourcemember m ON m.group_id = g.id
    UNION
    SELECT e.group_id, m.member_guid
      FROM edges e
      JOIN provisioning_sourceobject n
        ON n.configuration_id = %(configuration)s AND n.guid = e.member_guid AND n.object_type = 2 AND NOT n.is_gone
      JOIN provisioning_sourcemember m ON m.group_id = n.id
)""",
}
# From the groups whose own members change, or that come or go, up to every group that holds them.
_WIDEN = """
WITH RECURSIVE reached AS (
    SELECT id FROM provisioning_sourceobject WHERE configuration_id = %(configuration)s AND members_dirty
    UNION
    SELECT id FROM provisioning_sourceobject
     WHERE configuration_id = %(configuration)s AND is_dirty AND is_gone AND object_type = 2
    UNION
    SELECT m.group_id
      FROM provisioning_change c
      JOIN provisioning_sourceobject o ON o.id = c.source_id
      JOIN provisioning_sourcemember m ON m.member_guid = o.guid
      JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = %(configuration)s
     WHERE c.cycle_id = %(cycle)s AND c.kind IN ('create', 'restore') AND c.status = 'planned'
), above AS (
    SELECT id FROM reached
    UNION
    SELECT g.id
      FROM above a
      JOIN provisioning_sourceobject o ON o.id = a.id
      JOIN provisioning_sourcemember m ON m.member_guid = o.guid
      JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = %(configuration)s
)
UPDATE provisioning_sourceobject o SET members_dirty = true
  FROM above a WHERE o.id = a.id AND NOT o.members_dirty
"""
_MARK_ALL = """
UPDATE provisioning_sourceobject SET members_dirty = true
 WHERE configuration_id = %(configuration)s AND object_type = 2 AND NOT is_gone AND NOT members_dirty
"""


def widen(configuration: UUID, cycle: int) -> None:
    """Mark every group whose effective members may have changed; after the objects of the cycle are planned."""
    with connection.cursor() as cursor:
        cursor.execute(_WIDEN, {"configuration": configuration, "cycle": cycle})


def mark_all(configuration: UUID) -> None:
    """Mark every group: they are to be written in the other way from now on."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_ALL, {"configuration": configuration})

"""What the deletion of one object has taken along, as its cycle has kept it."""

from __future__ import annotations

from typing import Final

from django.db import connection

_LAST_DELETION: Final = """
SELECT cycle_id FROM provisioning_change
 WHERE source_id = %s AND kind = 'delete' AND status = 'applied' ORDER BY cycle_id DESC LIMIT 1
"""
# Both ends are there again: the one that was restored, and the other one.
_MEMBERSHIPS: Final = """
SELECT g.target_id, o.target_id, s.object_type
  FROM provisioning_memberchange m
  JOIN provisioning_link g ON g.source_id = m.group_id AND (g.state = 'active' OR g.source_id = %(source)s)
  JOIN provisioning_link o ON o.source_id = m.member_id AND (o.state = 'active' OR o.source_id = %(source)s)
  JOIN provisioning_sourceobject s ON s.id = m.member_id
 WHERE m.cycle_id = %(cycle)s AND m.status = 'applied' AND NOT m.is_addition
   AND (m.group_id = %(source)s OR m.member_id = %(source)s)
"""
# Who has been given another one since keeps that.
_REPORTS: Final = """
SELECT l.target_id, c.object_type
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = %(source)s
  JOIN provisioning_link l ON l.source_id = c.source_id AND l.state = 'active'
 WHERE c.cycle_id = %(cycle)s AND c.kind = 'reference' AND c.status = 'applied'
   AND c.old->>%(name)s = o.guid::text AND c.new->>%(name)s IS NULL AND l.reference_guids->>%(name)s IS NULL
"""


def last_deletion(source: int) -> int | None:
    """The cycle that last deleted the object."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_DELETION, [source])
        row = cursor.fetchone()
    return int(row[0]) if row else None


def memberships(cycle: int, source: int) -> list[tuple[str, str, int]]:
    """Memberships that ended with the object: target ids of group and member, and the member's type."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERSHIPS, {"cycle": cycle, "source": source})
        return list(cursor.fetchall())


def reports(cycle: int, source: int, name: str) -> list[tuple[str, int]]:
    """Who referred to the object by this attribute, and refers to nobody now: target ids and types."""
    with connection.cursor() as cursor:
        cursor.execute(_REPORTS, {"cycle": cycle, "source": source, "name": name})
        return list(cursor.fetchall())

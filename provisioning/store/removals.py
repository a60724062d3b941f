"""What a plan takes away, counted for the delete guard, and what the target holds of it."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.engine.guard import MEMBERSHIP
from provisioning.models import ObjectType

# A membership that ends because its member goes is that member's removal, and not counted twice.
UNCALLED = """
  FROM provisioning_memberchange m
  JOIN provisioning_sourceobject o ON o.id = m.member_id AND o.in_scope AND NOT o.is_gone
 WHERE m.cycle_id = %s AND NOT m.is_addition
"""
_PRESENT_MEMBERSHIPS = """
SELECT coalesce(sum(cardinality(m.members)), 0) FROM provisioning_linkmemberset m
  JOIN provisioning_sourceobject g ON g.id = m.group_id AND g.configuration_id = %s
"""
_PRESENT_OBJECTS = """
SELECT count(*) FROM provisioning_link l
  JOIN provisioning_sourceobject o ON o.id = l.source_id AND o.object_type = %s
 WHERE l.configuration_id = %s AND l.state = 'active'
"""
_PLANNED = """
SELECT object_type, kind, count(*) FROM provisioning_change
 WHERE cycle_id = %s AND status = 'planned' GROUP BY object_type, kind
"""


def planned(cycle: int) -> Counter[tuple[str, str]]:
    """Planned changes of objects by (object type, kind of change)."""
    with connection.cursor() as cursor:
        cursor.execute(_PLANNED, [cycle])
        return Counter({(ObjectType(kind).label, change): count for kind, change, count in cursor.fetchall()})


def planned_memberships(cycle: int) -> int:
    """Memberships that the plan ends although both ends stay."""
    return _count(f"SELECT count(*) {UNCALLED}", [cycle])


def present(configuration: UUID, kind: str) -> int:
    """How many objects or memberships of a kind we keep in the target."""
    if kind == MEMBERSHIP:
        return _count(_PRESENT_MEMBERSHIPS, [configuration])
    return _count(_PRESENT_OBJECTS, [ObjectType[kind.upper()], configuration])


def _count(statement: str, parameters: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])

"""Foreign security principals: members of groups that stand for somebody of another forest, found by SID.

Whom one stands for is looked up when memberships are planned, in the configurations of the same target: nothing has to
be kept right when that one comes, leaves or returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from provisioning.store import member_sets
from provisioning.store.sorting_in import SOURCE_MEMBERS, sort_in

# Groups that are known to hold one which only now has a SID are looked at; before anything is in the target there is
# none of these.
_KEEP = f"""
WITH changed AS (
    INSERT INTO provisioning_foreignprincipal AS f (configuration_id, guid, sid, object_sid)
    SELECT %(configuration)s, * FROM unnest(%(guids)s::uuid[], %(sids)s::text[], %(object_sids)s::text[])
    ON CONFLICT (configuration_id, guid) DO UPDATE SET sid = excluded.sid, object_sid = excluded.object_sid
     WHERE f.sid <> excluded.sid
    RETURNING f.guid
)
UPDATE provisioning_sourceobject g SET members_dirty = true
  FROM changed c {member_sets.holders("c.guid")}
 WHERE g.id = m.group_id AND g.configuration_id = %(configuration)s AND NOT g.members_dirty
   AND EXISTS (SELECT 1 FROM provisioning_link WHERE configuration_id = %(configuration)s)
"""  # noqa: S608 — built from constants only
_FORGET = """
DELETE FROM provisioning_foreignprincipal f
 WHERE f.configuration_id = %s
   AND NOT EXISTS (SELECT 1 FROM provisioning_sourcememberset m WHERE m.members @> ARRAY[f.guid])
"""
_EXIST = "SELECT EXISTS (SELECT 1 FROM provisioning_foreignprincipal WHERE configuration_id = ANY(%s))"
_EXIST_BESIDE = """
SELECT EXISTS (SELECT 1 FROM provisioning_foreignprincipal f
                 JOIN provisioning_configuration c ON c.id = f.configuration_id
                WHERE c.target_id = %(target)s AND c.id <> %(configuration)s)
"""
_LEAD_TO = """
SELECT DISTINCT o.configuration_id
  FROM provisioning_foreignprincipal f
  JOIN provisioning_sourceobject o ON o.sid = f.object_sid
  JOIN provisioning_configuration c ON c.id = o.configuration_id AND c.target_id = %(target)s
 WHERE f.configuration_id = ANY(%(configurations)s)
"""
# In the target rather than not, should two configurations have it.
_WHOM = """
SELECT f.id, o.id, o.dn, o.target_id
  FROM provisioning_foreignprincipal f
  JOIN provisioning_configuration mine ON mine.id = f.configuration_id
  CROSS JOIN LATERAL (
      SELECT o.id, o.dn, l.target_id
        FROM provisioning_sourceobject o
        JOIN provisioning_configuration c ON c.id = o.configuration_id AND c.target_id = mine.target_id
        LEFT JOIN provisioning_link l ON l.source_id = o.id AND l.state = 'active'
       WHERE o.sid = f.object_sid
       ORDER BY l.source_id IS NULL, o.is_gone, o.id LIMIT 1
  ) o
 WHERE f.id = ANY(%s)
"""


class Whom(NamedTuple):
    """The object that a principal stands for; ``target_id`` is None unless it is in the target."""

    source_id: int
    dn: str
    target_id: str | None


def keep(cursor: Any, configuration: UUID, told: Mapping[str, tuple[str, str | None]]) -> None:
    """Store what a page told: by objectGUID the SID as text, and as objectSid where it is that of an account."""
    sids, object_sids = zip(*told.values(), strict=True)
    parameters = {"guids": list(told), "sids": list(sids), "object_sids": list(object_sids)}
    cursor.execute(_KEEP, {**parameters, "configuration": configuration})


def forget_unused(configuration: UUID) -> None:
    """After a complete full read: those that are in no group any more."""
    if not exist([configuration]):
        return
    sort_in(SOURCE_MEMBERS)
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [configuration])


def exist(configurations: Sequence[UUID]) -> bool:
    """Whether a group of one of these configurations has ever had one."""
    with connection.cursor() as cursor:
        cursor.execute(_EXIST, [list(configurations)])
        return bool(cursor.fetchone()[0])


def exist_beside(configuration: UUID, target: int) -> bool:
    """Whether a group of another configuration of the target has ever had one: it may be somebody of this one."""
    with connection.cursor() as cursor:
        cursor.execute(_EXIST_BESIDE, {"configuration": configuration, "target": target})
        return bool(cursor.fetchone()[0])


def lead_to(configurations: Sequence[UUID], target: int) -> set[UUID]:
    """The configurations of a target in which those of these configurations are found."""
    with connection.cursor() as cursor:
        cursor.execute(_LEAD_TO, {"configurations": list(configurations), "target": target})
        return {row[0] for row in cursor.fetchall()}


def whom(principals: Sequence[int]) -> dict[int, Whom]:
    """Whom each of these stands for, by its id; those that lead to nobody we know are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_WHOM, [list(principals)])
        return {key: Whom(*rest) for key, *rest in cursor.fetchall()}

"""Memberships by primary group, kept beside those that ``member`` tells of: derived once the pages are merged.

Whole groups that an agent reports anew lose their derived rows and get them back here, before anything is planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

# Answered by the partial index provisioning_source_primary: no rows where nobody has a primary group of that kind.
_IS_USED = """
SELECT EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id {home} AND primary_group_sid IS NOT NULL)
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id {home} AND has_primary_members)
    OR EXISTS (SELECT 1 FROM provisioning_arrival WHERE configuration_id {home})
"""
# A group that is on the list of its configuration may have got its first derived members just now.
_FORGET = """
DELETE FROM provisioning_sourcemember m
 USING provisioning_sourceobject g
 WHERE g.id IN (SELECT id FROM provisioning_sourceobject WHERE configuration_id {home} AND has_primary_members
                UNION
                SELECT group_id FROM provisioning_arrival WHERE configuration_id {home})
   AND m.group_id = g.id AND m.is_primary
   AND NOT EXISTS (SELECT 1 FROM provisioning_sourceobject o
                    WHERE o.configuration_id {home} AND o.guid = m.member_guid
                      AND o.primary_group_sid = g.sid {current})
RETURNING m.group_id
"""
_DERIVE = """
INSERT INTO provisioning_sourcemember (group_id, member_guid, is_primary)
SELECT DISTINCT g.id, o.guid, true
  FROM provisioning_sourceobject o
  JOIN provisioning_sourceobject g
    ON g.configuration_id {home} AND g.object_type = 2 AND g.sid = o.primary_group_sid
 WHERE o.configuration_id {home} AND o.primary_group_sid IS NOT NULL {current}
   AND NOT EXISTS (SELECT 1 FROM provisioning_sourcemember m WHERE m.group_id = g.id AND m.member_guid = o.guid)
 ORDER BY 1, 2
ON CONFLICT DO NOTHING
RETURNING group_id
"""
# One who has gone from one of the configurations may have come into another.
_CURRENT = """AND NOT (o.is_gone AND EXISTS (
    SELECT 1 FROM provisioning_sourceobject elsewhere
     WHERE elsewhere.configuration_id {home} AND elsewhere.guid = o.guid AND NOT elsewhere.is_gone))"""
_MARK = """
UPDATE provisioning_sourceobject g
   SET members_dirty = true,
       has_primary_members = EXISTS (SELECT 1 FROM provisioning_sourcemember m
                                      WHERE m.group_id = g.id AND m.is_primary)
 WHERE g.id = ANY(%(groups)s) AND g.configuration_id = %(configuration)s
"""
_TELL = """
INSERT INTO provisioning_arrival (configuration_id, group_id)
SELECT configuration_id, id FROM provisioning_sourceobject
 WHERE id = ANY(%(groups)s) AND configuration_id <> %(configuration)s
"""


def derive(configuration: UUID, others: Sequence[UUID] = ()) -> None:
    """Make the derived memberships those of the stored objects, and mark the groups of which that changes any.

    ``others`` are the further configurations of the same domain and target: accounts may be in one of them and
    their primary group in another. Groups of theirs are put on their lists (:mod:`neighbours`).
    """
    parameters: dict[str, Any] = {"configuration": configuration, "home": [configuration, *others]}
    home = "= ANY(%(home)s)" if others else "= %(configuration)s"
    current = _CURRENT.format(home=home) if others else ""
    with connection.cursor() as cursor:
        cursor.execute(_IS_USED.format(home=home), parameters)
        if not cursor.fetchone()[0]:
            return
        touched: set[int] = set()
        for statement in (_FORGET, _DERIVE):
            cursor.execute(statement.format(home=home, current=current), parameters)
            touched.update(row[0] for row in cursor.fetchall())
        for statement in (_MARK, _TELL) if touched else ():
            cursor.execute(statement, {**parameters, "groups": list(touched)})

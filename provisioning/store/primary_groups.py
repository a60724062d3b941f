"""Memberships by primary group, kept beside those that ``member`` tells of: derived once the pages are merged.

Whole groups that an agent reports anew lose their derived rows and get them back here, before anything is planned.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection

# Answered by the partial index provisioning_source_primary: no rows where nobody has a primary group of that kind.
_IS_USED = """
SELECT EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id = %(configuration)s AND primary_group_sid IS NOT NULL)
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id = %(configuration)s AND has_primary_members)
"""
_FORGET = """
DELETE FROM provisioning_sourcemember m
 USING provisioning_sourceobject g
 WHERE g.configuration_id = %(configuration)s AND g.has_primary_members AND m.group_id = g.id AND m.is_primary
   AND NOT EXISTS (SELECT 1 FROM provisioning_sourceobject o
                    WHERE o.configuration_id = %(configuration)s AND o.guid = m.member_guid
                      AND o.primary_group_sid = g.sid)
RETURNING m.group_id
"""
_DERIVE = """
INSERT INTO provisioning_sourcemember (group_id, member_guid, is_primary)
SELECT g.id, o.guid, true
  FROM provisioning_sourceobject o
  JOIN provisioning_sourceobject g
    ON g.configuration_id = o.configuration_id AND g.object_type = 2 AND g.sid = o.primary_group_sid
 WHERE o.configuration_id = %(configuration)s AND o.primary_group_sid IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM provisioning_sourcemember m WHERE m.group_id = g.id AND m.member_guid = o.guid)
 ORDER BY 1, 2
ON CONFLICT DO NOTHING
RETURNING group_id
"""
_MARK = """
UPDATE provisioning_sourceobject g
   SET members_dirty = true,
       has_primary_members = EXISTS (SELECT 1 FROM provisioning_sourcemember m
                                      WHERE m.group_id = g.id AND m.is_primary)
 WHERE g.id = ANY(%(groups)s)
"""


def derive(configuration: UUID) -> None:
    """Make the derived memberships those of the stored objects, and mark the groups of which that changes any."""
    parameters = {"configuration": configuration}
    with connection.cursor() as cursor:
        cursor.execute(_IS_USED, parameters)
        if not cursor.fetchone()[0]:
            return
        touched: set[int] = set()
        for statement in (_FORGET, _DERIVE):
            cursor.execute(statement, parameters)
            touched.update(row[0] for row in cursor.fetchall())
        if touched:
            cursor.execute(_MARK, {"groups": list(touched)})

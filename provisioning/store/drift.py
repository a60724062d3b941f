"""What the built-in directory holds otherwise than we last wrote it, in one statement for each object type."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.models import ObjectType

_TABLES: Final = {
    ObjectType.USER: "directory_user",
    ObjectType.GROUP: "directory_group",
    ObjectType.CONTACT: "directory_contact",
}
# Documents that are equal, as nearly all are, are not taken apart. A parked value is known not to be there.
_OBJECTS: Final = """
WITH compared AS (
    SELECT l.source_id, l.target_id, l.exported, d.attributes AS held,
           d.id IS NULL OR d.deleted_at IS NOT NULL AS missing,
           coalesce(d.provisioning_errors, '[]') AS parked
      FROM provisioning_link l
      JOIN provisioning_sourceobject o ON o.id = l.source_id AND o.object_type = %(type)s
      LEFT JOIN {table} d ON d.id = l.target_id::uuid
     WHERE l.configuration_id = %(configuration)s AND l.state = 'active'
), drifted AS (
    SELECT c.source_id, c.target_id, c.missing, differing.names
      FROM compared c
      LEFT JOIN LATERAL (
          SELECT jsonb_object_agg(e.key, jsonb_build_array(e.value, c.held->e.key)) AS names
            FROM jsonb_each(c.exported) e
           WHERE NOT c.missing AND c.held->e.key IS DISTINCT FROM e.value
             AND NOT c.parked @> jsonb_build_array(jsonb_build_object('propertyCausingError', e.key))
      ) differing ON true
     WHERE c.missing OR (c.held <> c.exported AND differing.names IS NOT NULL)
)
SELECT o.guid::text, o.dn, d.target_id, d.missing, d.names, count(*) FILTER (WHERE d.missing) OVER (),
       count(*) FILTER (WHERE NOT d.missing) OVER ()
  FROM drifted d JOIN provisioning_sourceobject o ON o.id = d.source_id
 ORDER BY d.source_id LIMIT %(limit)s
"""
_MEMBERSHIPS_MISSING: Final = """
SELECT count(*)
  FROM provisioning_linkmember w
  JOIN provisioning_link g ON g.source_id = w.group_id AND g.state = 'active' AND g.configuration_id = %(configuration)s
  JOIN provisioning_link m ON m.source_id = w.member_id AND m.state = 'active'
 WHERE NOT EXISTS (SELECT 1 FROM directory_membership d
                    WHERE d.group_id = g.target_id::uuid AND d.member_id = m.target_id::uuid)
"""
_MEMBERSHIPS_EXTRA: Final = """
SELECT count(*)
  FROM provisioning_link g
  JOIN provisioning_sourceobject o ON o.id = g.source_id AND o.object_type = 2
  JOIN directory_membership d ON d.group_id = g.target_id::uuid
  JOIN provisioning_link m ON m.configuration_id = g.configuration_id AND m.target_id = d.member_id::text
 WHERE g.configuration_id = %(configuration)s AND g.state = 'active'
   AND NOT EXISTS (SELECT 1 FROM provisioning_linkmember w
                    WHERE w.group_id = g.source_id AND w.member_id = m.source_id)
"""


def objects(configuration: UUID, object_type: ObjectType, limit: int) -> list[tuple[Any, ...]]:
    """The first drifted objects: guid, dn, target id, missing, {name: [written, held]}, and both counts."""
    statement = _OBJECTS.format(table=_TABLES[object_type])
    parameters: dict[str, Any] = {"configuration": configuration, "type": int(object_type), "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def memberships(configuration: UUID) -> tuple[int, int]:
    """Memberships that we wrote and that are gone, and those between our objects that we did not write."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERSHIPS_MISSING, {"configuration": configuration})
        missing = int(cursor.fetchone()[0])
        cursor.execute(_MEMBERSHIPS_EXTRA, {"configuration": configuration})
        return missing, int(cursor.fetchone()[0])

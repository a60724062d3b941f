"""Memberships by primary group, kept beside those that ``member`` tells of: derived once the pages are merged.

Whole groups that an agent reports anew lose their derived rows and get them back here, before anything is planned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.store import member_sets

# Answered by the partial index provisioning_source_primary: no rows where nobody has a primary group of that kind.
_IS_USED = """
SELECT EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id {home} AND primary_group_sid IS NOT NULL)
    OR EXISTS (SELECT 1 FROM provisioning_sourceobject
                WHERE configuration_id {home} AND has_primary_members)
    OR EXISTS (SELECT 1 FROM provisioning_arrival WHERE configuration_id {home})
"""
# Who is no member any more by a primary group, and who has become one. A group that is on the list of its configuration
# may have got its first derived members just now.
_DIFFERENCES = """
WITH derived AS MATERIALIZED (
    SELECT g.id AS group_id, o.guid
      FROM provisioning_sourceobject o
      JOIN provisioning_sourceobject g
        ON g.configuration_id {home} AND g.object_type = 2 AND g.sid = o.primary_group_sid
     WHERE o.configuration_id {home} AND o.primary_group_sid IS NOT NULL {current}
), lost AS (
    SELECT s.group_id, m.guid
      FROM provisioning_sourcememberset s CROSS JOIN LATERAL unnest(s.members) AS m (guid)
     WHERE s.is_primary
       AND s.group_id IN (SELECT id FROM provisioning_sourceobject
                           WHERE configuration_id {home} AND has_primary_members
                          UNION
                          SELECT group_id FROM provisioning_arrival WHERE configuration_id {home})
    EXCEPT SELECT * FROM derived
), kept AS (
    SELECT s.id, s.group_id, cardinality(s.members) AS size, ARRAY(
               SELECT unnest(s.members) EXCEPT SELECT unnest(l.members)
           ) AS members
      FROM (SELECT group_id, array_agg(guid) AS members FROM lost WHERE {held} GROUP BY group_id) l
      JOIN provisioning_sourcememberset s ON s.group_id = l.group_id AND s.is_primary
), rewritten AS MATERIALIZED (
    SELECT id, group_id, members FROM kept WHERE cardinality(members) < size
), joined AS (
    SELECT * FROM derived
    EXCEPT
    SELECT s.group_id, m.guid
      FROM provisioning_sourcememberset s CROSS JOIN LATERAL unnest(s.members) AS m (guid)
     WHERE s.group_id IN (SELECT group_id FROM derived)
), new AS MATERIALIZED (
    SELECT group_id, true AS is_primary, array_agg(guid) AS members FROM joined WHERE {held} GROUP BY group_id
)"""
_TOUCHES = f"{_DIFFERENCES} SELECT group_id FROM rewritten UNION SELECT group_id FROM new"  # noqa: S608 — built from constants only
# Only of groups that are held: nobody may have changed their sets since.
_HELD = "group_id = ANY(%(groups)s)"
_WRITE = f"""
{_DIFFERENCES}, {member_sets.TAKE_OUT.replace("{}", "{{}}")}, added AS ({member_sets.PUT_IN})
SELECT group_id FROM rewritten UNION SELECT group_id FROM new
"""  # noqa: S608 — built from constants only
# One who has gone from one of the configurations may have come into another.
_CURRENT = """AND NOT (o.is_gone AND EXISTS (
    SELECT 1 FROM provisioning_sourceobject elsewhere
     WHERE elsewhere.configuration_id {home} AND elsewhere.guid = o.guid AND NOT elsewhere.is_gone))"""
_MARK = """
UPDATE provisioning_sourceobject g
   SET members_dirty = true,
       has_primary_members = EXISTS (SELECT 1 FROM provisioning_sourcememberset s
                                      WHERE s.group_id = g.id AND s.is_primary)
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
        cursor.execute(_TOUCHES.format(home=home, current=current, held="true"), parameters)
        touched = [row[0] for row in cursor.fetchall()]
        if not touched:
            return
        parameters["groups"] = member_sets.hold(cursor, touched)
        cursor.execute(_WRITE.format(home=home, current=current, held=_HELD), parameters)
        parameters["groups"] = [row[0] for row in cursor.fetchall()]
        for statement in (_MARK, _TELL):
            cursor.execute(statement, parameters)

"""Marking what drifted, so that the next plan writes it again.

A link is set to what the target really holds; from there on the plan, the guard and the export do what they do in every
cycle. Each statement looks at the target again: a finding that is no longer true marks nothing, and marking twice is
marking once. Findings of a reconciliation are taken in chunks, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from provisioning.store import written_members
from provisioning.store.drift import MANAGER, as_json

_CHUNK: Final = """
SELECT max(id) FROM (
    SELECT id FROM provisioning_drift
     WHERE reconciliation_id = %(reconciliation)s AND id > %(after)s ORDER BY id LIMIT %(size)s) AS chunk
"""
_FOUND: Final = """provisioning_drift f
      JOIN provisioning_link l ON l.source_id = f.source_id
     WHERE f.reconciliation_id = %(reconciliation)s AND f.id > %(after)s AND f.id <= %(last)s"""
_HELD: Final = """(
    SELECT id, attributes, provisioning_errors FROM directory_user WHERE id = l.target_id::uuid AND deleted_at IS NULL
    UNION ALL
    SELECT id, attributes, provisioning_errors FROM directory_group WHERE id = l.target_id::uuid AND deleted_at IS NULL
    UNION ALL
    SELECT id, attributes, provisioning_errors FROM directory_contact
     WHERE id = l.target_id::uuid AND deleted_at IS NULL)"""
# The target has dropped them with all that belongs to them; they come back as restored objects do. What a restore
# clears are the attributes last exported: of an object that we made, all that the mapping clears.
_ABSENT: Final = f"""
WITH absent AS (
    SELECT f.source_id, made_by_us.clears
      FROM provisioning_drift f
      JOIN provisioning_link l ON l.source_id = f.source_id AND l.state = 'active'
      LEFT JOIN LATERAL (
          SELECT jsonb_object_agg(name, NULL) AS clears
            FROM jsonb_array_elements_text(%(clears)s::jsonb->f.object_type::text) AS name
           WHERE coalesce((SELECT created_at FROM directory_user WHERE id = l.target_id::uuid),
                          (SELECT created_at FROM directory_group WHERE id = l.target_id::uuid),
                          (SELECT created_at FROM directory_contact WHERE id = l.target_id::uuid)) >= l.linked_at
      ) made_by_us ON true
     WHERE f.reconciliation_id = %(reconciliation)s AND f.id > %(after)s AND f.id <= %(last)s
       AND f.kind IN ('missing', 'deleted') AND NOT EXISTS (SELECT 1 FROM {_HELD} AS held)
), unlinked AS (
    UPDATE provisioning_link l
       SET state = 'deleted', updated_at = %(now)s, exported = coalesce(a.clears, '{{}}') || l.exported
      FROM absent a WHERE l.source_id = a.source_id
)
UPDATE provisioning_sourceobject o SET is_dirty = true, members_dirty = o.members_dirty OR o.object_type = 2
  FROM absent a WHERE o.id = a.source_id
RETURNING o.id, o.guid::text
"""  # noqa: S608 — built from constants only
# Who refers to them refers to what may come back under another id. The index is provisioning_link_references.
_FORGET_REFERENCES: Final = """
WITH holders AS (
    UPDATE provisioning_link l
       SET updated_at = %(now)s,
           reference_guids = (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(l.reference_guids)
                               WHERE value #>> '{}' IS NULL OR NOT value #>> '{}' = ANY(%(guids)s))
     WHERE l.reference_guids <> '{}' AND jsonb_path_query_array(l.reference_guids, '$.*') ?| %(guids)s::text[]
    RETURNING l.source_id
)
UPDATE provisioning_sourceobject o SET references_dirty = true FROM holders h WHERE o.id = h.source_id
"""
_RETURNED: Final = f"""
UPDATE provisioning_link l SET state = 'active', updated_at = %(now)s
  FROM (SELECT f.source_id FROM {_FOUND} AND f.kind = 'returned' AND l.state = 'deleted'
           AND EXISTS (SELECT 1 FROM {_HELD} AS held)
           AND NOT EXISTS (SELECT 1 FROM provisioning_link other
                            WHERE other.configuration_id = ANY(%(siblings)s) AND other.target_id = l.target_id
                              AND other.state = 'active')) AS found
 WHERE l.source_id = found.source_id
"""  # noqa: S608 — built from constants only
_CHANGED: Final = f"""
WITH held AS (
    SELECT f.source_id, jsonb_object_agg(e.name, h.attributes->e.name) AS attributes
      FROM provisioning_drift f
      JOIN provisioning_link l ON l.source_id = f.source_id AND l.state = 'active'
      CROSS JOIN LATERAL {_HELD} AS h
      CROSS JOIN LATERAL (
          SELECT jsonb_object_keys(l.exported) UNION
          SELECT found->>'name' FROM jsonb_array_elements(f.detail) AS found WHERE f.kind = 'changed') AS e (name)
     WHERE f.reconciliation_id = %(reconciliation)s AND f.id > %(after)s AND f.id <= %(last)s
       AND f.kind IN ('changed', 'returned') AND h.attributes->e.name IS DISTINCT FROM l.exported->e.name
       AND NOT coalesce(h.provisioning_errors, '[]')
           @> jsonb_build_array(jsonb_build_object('propertyCausingError', e.name))
     GROUP BY f.source_id
)
UPDATE provisioning_link l SET exported = jsonb_strip_nulls(l.exported || h.attributes), updated_at = %(now)s
  FROM held h WHERE l.source_id = h.source_id
"""  # noqa: S608 — built from constants only
# What the target holds is not known to us (JSON null): it is written again.
_REFERENCE: Final = f"""
UPDATE provisioning_link l
   SET reference_guids = l.reference_guids || jsonb_build_object(%(manager)s::text, NULL), updated_at = %(now)s
  FROM (SELECT f.source_id FROM {_FOUND} AND f.kind = 'reference' AND l.state = 'active') AS found
 WHERE l.source_id = found.source_id
"""  # noqa: S608 — built from constants only
_MARK: Final = f"""
UPDATE provisioning_sourceobject o
   SET is_dirty = o.is_dirty OR found.of_object, members_dirty = o.members_dirty OR found.of_members,
       references_dirty = o.references_dirty OR found.of_reference
  FROM (SELECT f.source_id, bool_or(f.kind IN ('changed', 'returned')) AS of_object,
               bool_or(f.kind IN ('membershipMissing', 'membershipExtra')) AS of_members,
               bool_or(f.kind = 'reference') AS of_reference
          FROM {_FOUND} AND f.kind NOT IN ('membershipForeign', 'unlinked') AND l.state = 'active'
         GROUP BY f.source_id) AS found
 WHERE o.id = found.source_id
"""  # noqa: S608 — built from constants only
# What was found of memberships, and which of them the target holds. Each group is taken apart once.
_ASKED: Final = """
WITH asked AS MATERIALIZED (
    SELECT f.source_id, f.member_id, l.state, l.target_id::uuid AS group_id, m.target_id::uuid AS member_target
      FROM provisioning_drift f
      JOIN provisioning_link l ON l.source_id = f.source_id
      LEFT JOIN provisioning_link m ON m.source_id = f.member_id
     WHERE f.reconciliation_id = %(reconciliation)s AND f.id > %(after)s AND f.id <= %(last)s AND f.kind = '{kind}'
), held AS MATERIALIZED (
    SELECT g.group_id, d.member_id
      FROM (SELECT group_id, array_agg(member_target) AS members FROM asked GROUP BY group_id) g
     CROSS JOIN LATERAL (
           SELECT unnest(g.members) INTERSECT
           SELECT unnest(members) FROM directory_memberset WHERE group_id = g.group_id) AS d (member_id)
)"""
_IS_HELD: Final = (
    "EXISTS (SELECT 1 FROM held h WHERE h.group_id = a.group_id AND h.member_id = a.member_target)"
)
_MEMBERSHIPS_MISSING: Final = f"""{_ASKED.format(kind="membershipMissing")}
SELECT a.source_id AS group_id, a.member_id FROM asked a WHERE NOT {_IS_HELD}
"""  # noqa: S608 — built from constants only
_MEMBERSHIPS_EXTRA: Final = f"""{_ASKED.format(kind="membershipExtra")}
SELECT a.source_id AS group_id, a.member_id FROM asked a WHERE a.state = 'active' AND {_IS_HELD}
"""  # noqa: S608 — built from constants only


def mark(
    reconciliation: int,
    siblings: list[UUID],
    clears: Mapping[int, Sequence[str]],
    after: int,
    size: int,
    now: datetime,
) -> int | None:
    """Mark the next findings; the id of the last one of them, None when all were marked before.

    ``clears`` are by object type the attributes that the mapping clears.
    """
    parameters: dict[str, Any] = {"reconciliation": reconciliation, "after": after, "size": size, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_CHUNK, parameters)
        last: int | None = cursor.fetchone()[0]
        if last is None:
            return None
        parameters |= {"last": last, "siblings": siblings, "manager": MANAGER, "clears": as_json(clears)}
        cursor.execute(_ABSENT, parameters)
        if absent := cursor.fetchall():
            written_members.forget(cursor, [source for source, _ in absent])
            cursor.execute(_FORGET_REFERENCES, {"guids": [guid for _, guid in absent], "now": now})
        for statement in (_RETURNED, _CHANGED, _REFERENCE):
            cursor.execute(statement, parameters)
        written_members.remove(cursor, _MEMBERSHIPS_MISSING, parameters)
        written_members.add(cursor, _MEMBERSHIPS_EXTRA, parameters)
        cursor.execute(_MARK, parameters)
    return last

"""The SQL of bulk writes. UPDATE, ADOPT, INSERT and DELETE answer for objects: (key, object id)."""

from __future__ import annotations

from typing import Final

from directory.services import sets
from directory.services.rows import Kept

_MANAGER: Final = "Manager"

STAGING = """
CREATE TEMP TABLE IF NOT EXISTS directory_incoming (
    key bigint, verb text, object_id uuid, anchor text, document jsonb, manager_id uuid
) ON COMMIT DELETE ROWS;
TRUNCATE directory_incoming
"""

STAGE = "COPY directory_incoming (key, verb, object_id, anchor, document, manager_id) FROM STDIN"

# An attribute that is written again is no longer parked.
_STILL_PARKED = """CASE WHEN o.provisioning_errors IS NOT NULL THEN (
       SELECT jsonb_agg(e) FROM jsonb_array_elements(o.provisioning_errors) e
        WHERE NOT i.document ? (e->>'propertyCausingError')) END"""

UPDATE = f"""
UPDATE {{table}} AS o
   SET attributes = jsonb_strip_nulls(o.attributes || i.document), updated_at = %(now)s,
       provisioning_errors = {_STILL_PARKED}
  FROM directory_incoming i
 WHERE i.verb = 'update' AND o.id = i.object_id
RETURNING i.key, o.id
"""  # noqa: S608 — built from constants only

# What is written of a creation to an object that is there (:class:`rows.Kept`).
_ADOPTED = """(i.document - %(once)s::text[] - ARRAY(
       SELECT n FROM unnest(%(fill)s::text[]) n WHERE coalesce(o.attributes->>n, '') NOT IN ('', '[]'))
    || coalesce((SELECT jsonb_object_agg(n, CASE WHEN jsonb_typeof(o.attributes->n) <> 'array' THEN o.attributes->n
           ELSE o.attributes->n || coalesce((SELECT jsonb_agg(v) FROM jsonb_array_elements(i.document->n) v
                                              WHERE NOT o.attributes->n @> jsonb_build_array(v)), '[]') END)
         FROM unnest(%(merge)s::text[]) n WHERE o.attributes ? n AND i.document ? n), '{}'))"""

# An object with the same source anchor is the same object: taken over (hard match), or brought back from the bin.
ADOPT = f"""
UPDATE {{table}} AS o
   SET attributes = jsonb_strip_nulls(o.attributes || {{adopted}}), updated_at = %(now)s, deleted_at = NULL,
       is_synchronized = true, provisioning_errors = {_STILL_PARKED}{{adopted_manager}}
  FROM directory_incoming i
 WHERE i.verb = 'create' AND o.immutable_id = i.anchor AND (o.is_synchronized OR NOT %(blocks_hard_match)s)
   AND (o.deleted_at IS NULL OR o.deleted_at > %(restorable)s)
RETURNING i.key, o.id
"""  # noqa: S608 — built from constants only

INSERT = """
WITH missing AS (
    SELECT DISTINCT ON (i.anchor) i.*
      FROM directory_incoming i
     WHERE i.verb = 'create' AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.immutable_id = i.anchor)
     ORDER BY i.anchor, i.key
), added AS (
    INSERT INTO {table} (id, immutable_id, attributes, created_at, updated_at, is_synchronized{manager})
    SELECT coalesce(object_id, gen_random_uuid()), anchor, jsonb_strip_nulls(document), %(now)s, %(now)s, true{manager}
      FROM missing
    ON CONFLICT DO NOTHING
    RETURNING id, immutable_id
)
SELECT missing.key, added.id FROM added JOIN missing ON missing.anchor = added.immutable_id
"""

DELETE = """
UPDATE {table} AS o
   SET deleted_at = coalesce(o.deleted_at, %(now)s), updated_at = %(now)s
  FROM directory_incoming i
 WHERE i.verb = 'delete' AND o.id = i.object_id
RETURNING i.key, o.id
"""

# The index looks for this many members at once: whatever it has not sorted in yet is read for each question, and the
# more it is asked for, the longer each takes.
ASKED_AT_ONCE: Final = 100
_DELETED: Final = "SELECT object_id AS member_id FROM directory_incoming WHERE verb = 'delete'"
_THEIR_SETS: Final = f"""
    SELECT s.{{column}}
      FROM (SELECT array_agg(member_id) AS members
              FROM (SELECT member_id, (row_number() OVER () - 1) / {ASKED_AT_ONCE} AS part FROM ({_DELETED}) d) parts
             GROUP BY part) asked
     CROSS JOIN LATERAL (SELECT id, group_id FROM directory_memberset WHERE members && asked.members OFFSET 0) s"""  # noqa: S608 — built from constants only

BY_MEMBER: Final = "directory_memberset_members"
"""That index."""
# Before more are looked for than that.
SORT_IN = f"SELECT gin_clean_pending_list('{BY_MEMBER}')"

HOLD_GROUPS = sets.hold(_THEIR_SETS.format(column="group_id"))

LEAVE_GROUPS = sets.take_out(
    _DELETED,
    concerned=f"s.id = ANY(ARRAY({_THEIR_SETS.format(column='id')}))",
    where="l.member_id = m.member_id",
)

EMPTY_GROUP = f"DELETE FROM directory_memberset WHERE group_id = ANY(ARRAY({_DELETED}))"  # noqa: S608

FORGET_MANAGER = """
UPDATE directory_user u SET manager_id = NULL FROM directory_incoming i
 WHERE i.verb = 'delete' AND u.manager_id = i.object_id
"""

FORGET_MANAGER_OF_CONTACT = """
UPDATE directory_contact c SET manager_id = NULL FROM directory_incoming i
 WHERE i.verb = 'delete' AND c.manager_id = i.object_id
"""

# What the statements above say of managers where objects have one; groups have none.
MANAGER = {
    "manager": ", manager_id",
    "adopted_manager": ", manager_id = coalesce(i.manager_id, o.manager_id)",
}
NO_MANAGER = {"manager": "", "adopted_manager": ""}
_FILLED_MANAGER = ", manager_id = coalesce(o.manager_id, i.manager_id)"


def places(kept: Kept, *, is_managed: bool) -> dict[str, str]:
    """What stands in the statements for objects with or without a manager."""
    found = {**(MANAGER if is_managed else NO_MANAGER), "adopted": _ADOPTED if kept.names else "i.document"}
    if is_managed and _MANAGER in kept.once:
        found["adopted_manager"] = ""
    elif is_managed and _MANAGER in (*kept.fill, *kept.merge):
        found["adopted_manager"] = _FILLED_MANAGER
    return found

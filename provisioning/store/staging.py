"""Merging a page into the source tables: new objects are copied into them, known ones are staged and merged.

Merging is idempotent: a page that comes twice, or that another agent sends again, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.store import foreign, member_sets, newcomers, scope_names
from provisioning.store.copy_binary import NO_UUIDS, array, flag, rows, start, uuid
from provisioning.store.encoding import COLUMNS
from provisioning.store.rows import EncodedObject, EncodedPage

_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS staged_object (
    guid uuid, object_type smallint, dn text, attributes text, attributes_hash bytea, in_scope boolean,
    wanted jsonb, create_only jsonb, reference_guids jsonb, has_nulls boolean, wanted_hash bytea, error_code text,
    error_detail text, state_changes_at timestamptz, sid text, primary_group_sid text,
    user_principal_name text
) WITH (toast_tuple_target = 8160) ON COMMIT DELETE ROWS;
TRUNCATE staged_object
"""
_STAGE = f"COPY staged_object ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
_START = start(len(COLUMNS))
_MERGE = """
INSERT INTO provisioning_sourceobject AS o (
    configuration_id, guid, object_type, dn, attributes, attributes_hash, in_scope, is_gone, gone_reason,
    wanted, create_only, reference_guids, has_nulls, wanted_hash, error_code, error_detail,
    is_dirty, members_dirty, references_dirty, state_changes_at, sid, primary_group_sid,
    user_principal_name, updated_at)
SELECT DISTINCT ON (guid) %(configuration)s, guid, object_type, dn, attributes, attributes_hash, in_scope, false, '',
       wanted, create_only, reference_guids, has_nulls, wanted_hash, error_code, error_detail,
       true, false, reference_guids <> '{}', state_changes_at, sid, primary_group_sid,
       user_principal_name, %(now)s
  FROM staged_object ORDER BY guid
ON CONFLICT (configuration_id, guid) DO UPDATE SET
    dn = excluded.dn, attributes = excluded.attributes, attributes_hash = excluded.attributes_hash,
    in_scope = excluded.in_scope, is_gone = false, gone_reason = '',
    wanted = excluded.wanted, create_only = excluded.create_only, reference_guids = excluded.reference_guids,
    has_nulls = excluded.has_nulls, wanted_hash = excluded.wanted_hash, error_code = excluded.error_code,
    error_detail = excluded.error_detail,
    is_dirty = o.is_dirty OR o.is_gone OR o.in_scope <> excluded.in_scope
        OR o.wanted_hash <> excluded.wanted_hash OR o.error_code <> excluded.error_code,
    references_dirty = o.references_dirty OR o.reference_guids <> excluded.reference_guids
        OR o.is_gone OR NOT o.in_scope,
    members_dirty = o.members_dirty OR o.is_gone OR o.in_scope <> excluded.in_scope,
    state_changes_at = excluded.state_changes_at, sid = excluded.sid,
    primary_group_sid = excluded.primary_group_sid,
    user_principal_name = excluded.user_principal_name, updated_at = excluded.updated_at
WHERE o.is_gone OR o.in_scope <> excluded.in_scope OR o.wanted_hash <> excluded.wanted_hash
   OR o.attributes_hash <> excluded.attributes_hash OR o.error_code <> excluded.error_code
   OR o.state_changes_at IS DISTINCT FROM excluded.state_changes_at OR o.sid IS DISTINCT FROM excluded.sid
"""
_SEE = """
INSERT INTO provisioning_seenobject (cycle_id, guid) SELECT DISTINCT %(cycle)s::bigint, guid FROM staged_object
ON CONFLICT DO NOTHING
"""
_SEE_NAMED = """
INSERT INTO provisioning_seenobject (cycle_id, guid)
SELECT DISTINCT %(cycle)s::bigint, guid FROM unnest(%(guids)s::uuid[]) AS named (guid)
ON CONFLICT DO NOTHING
"""
_FORGET_SEEN = "DELETE FROM provisioning_seenobject WHERE cycle_id = %s"
_FORGET_TOLD = """
UPDATE provisioning_sourceobject SET told_in = NULL
 WHERE configuration_id = %(configuration)s AND told_in = %(cycle)s
"""
_BURY = """
UPDATE provisioning_sourceobject
   SET is_gone = true, gone_reason = %(reason)s, is_dirty = true, updated_at = %(now)s
 WHERE configuration_id = %(configuration)s AND guid = ANY(%(guids)s::uuid[]) AND NOT is_gone
"""
_MEMBER_STAGING = """
CREATE TEMP TABLE IF NOT EXISTS told_members (
    group_guid uuid, is_whole boolean, added uuid[], removed uuid[]
) ON COMMIT DELETE ROWS;
TRUNCATE told_members
"""
_STAGE_MEMBERS = "COPY told_members (group_guid, is_whole, added, removed) FROM STDIN (FORMAT binary)"
_MEMBERS_START = start(4)
_TOLD_GROUPS = """
SELECT g.id FROM told_members t
  JOIN provisioning_sourceobject g ON g.configuration_id = %(configuration)s AND g.guid = t.group_guid
"""
# One who was derived from his primary group and is told of now leaves the derived set for another.
_TAKE_OUT_MEMBERS = f"""
WITH told AS MATERIALIZED (
    SELECT g.id, t.is_whole, t.added, t.removed
      FROM told_members t
      JOIN provisioning_sourceobject g ON g.configuration_id = %(configuration)s AND g.guid = t.group_guid
), remaining AS (
    SELECT s.id, s.group_id, cardinality(s.members) AS size, ARRAY(
               SELECT unnest(s.members) WHERE NOT (t.is_whole AND s.is_primary)
               EXCEPT SELECT unnest(t.removed)
               EXCEPT SELECT unnest(t.added) WHERE s.is_primary
               EXCEPT (SELECT unnest(s.members) WHERE t.is_whole EXCEPT SELECT unnest(t.added))
           ) AS members
      FROM told t
      JOIN provisioning_sourcememberset s
        ON s.group_id = t.id AND (s.is_primary OR t.is_whole OR t.removed <> '{{}}')
), rewritten AS MATERIALIZED (
    SELECT id, group_id, members FROM remaining WHERE cardinality(members) < size
), {member_sets.TAKE_OUT}
SELECT DISTINCT group_id FROM rewritten
"""  # noqa: S608 — built from constants only
_ADD_MEMBERS = f"""
WITH new AS (
    SELECT g.id AS group_id, false AS is_primary, ARRAY(
               SELECT unnest(t.added)
               EXCEPT SELECT unnest(s.members) FROM provisioning_sourcememberset s WHERE s.group_id = g.id
           ) AS members
      FROM told_members t
      JOIN provisioning_sourceobject g ON g.configuration_id = %(configuration)s AND g.guid = t.group_guid
     WHERE t.added <> '{{}}'
), added AS ({member_sets.PUT_IN} RETURNING group_id)
SELECT DISTINCT group_id FROM added
"""  # noqa: S608 — built from constants only
_MARK_MEMBERS = """
UPDATE provisioning_sourceobject SET members_dirty = true
 WHERE id = ANY(%(groups)s) AND NOT members_dirty
"""


def merge(
    configuration: UUID,
    cycle: int,
    page: EncodedPage,
    now: datetime,
    *,
    mark_seen: bool,
    marks_new: bool = True,
    presumed_new: bool = False,
) -> bool:
    """Merge one page, inside the caller's transaction; ``mark_seen`` during a full read.

    Without ``marks_new`` new objects are not marked for the plan: it has to look at all that are not linked. Returns
    whether every object was new: then those of the next page may be ``presumed_new``, and are not looked up.
    """
    parameters: dict[str, Any] = {"configuration": configuration, "cycle": cycle, "now": now}
    with connection.cursor() as cursor:
        new = newcomers.add(
            cursor,
            configuration,
            page,
            now,
            told_in=cycle if mark_seen else None,
            marks=marks_new,
            presumed=presumed_new,
        )
        known = [one for guid, one in page.objects.items() if guid not in new]
        _merge_objects(cursor, known, parameters, mark_seen=mark_seen)
        for reason, guids in page.tombstones.items():
            cursor.execute(_BURY, {**parameters, "reason": reason, "guids": guids})
        if mark_seen and page.present:
            cursor.execute(_SEE_NAMED, {**parameters, "guids": page.present})
        scope_names.merge(configuration, cycle, page.names, page.lost_names, everything=mark_seen)
        _merge_members(cursor, page, new, parameters)
        if page.foreign:
            foreign.keep(cursor, configuration, page.foreign)
    return bool(new) and not known


def forget_seen(cycle: int) -> None:
    """Drop what a full read had seen besides what it told of first: it is over."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_SEEN, [cycle])


def start_over(configuration: UUID, cycle: int) -> None:
    """Another agent reads again from the start: nothing has been seen."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET_SEEN, [cycle])
        cursor.execute(_FORGET_TOLD, {"configuration": configuration, "cycle": cycle})


def _merge_objects(
    cursor: Any, objects: Sequence[EncodedObject], parameters: dict[str, Any], *, mark_seen: bool
) -> None:
    if not objects:
        return
    cursor.execute(_STAGING)
    with cursor.copy(_STAGE) as copy:
        copy.write(rows(_START + fields for fields, *_ in objects))
    cursor.execute(_MERGE, parameters)
    if mark_seen:
        cursor.execute(_SEE, parameters)


def _merge_members(cursor: Any, page: EncodedPage, new: Collection[str], parameters: dict[str, Any]) -> None:
    """Memberships of groups that were known; a new one has come with its own."""
    whole = set(page.whole_groups)
    groups = [
        one for one in whole | page.added_members.keys() | page.removed_members.keys() if one not in new
    ]
    if not groups:
        return
    cursor.execute(_MEMBER_STAGING)
    with cursor.copy(_STAGE_MEMBERS) as copy:
        copy.write(rows(_membership(page, one, is_whole=one in whole) for one in groups))
    cursor.execute(_TOLD_GROUPS, parameters)
    member_sets.hold(cursor, [row[0] for row in cursor.fetchall()])
    touched: set[int] = set()
    for statement in (_TAKE_OUT_MEMBERS, _ADD_MEMBERS):
        cursor.execute(statement, parameters)
        touched.update(row[0] for row in cursor.fetchall())
    if touched:
        cursor.execute(_MARK_MEMBERS, {"groups": list(touched)})


def _membership(page: EncodedPage, group: str, *, is_whole: bool) -> bytes:
    told = (page.added_members.get(group), page.removed_members.get(group))
    arrays = (NO_UUIDS if one is None else array(one) for one in told)
    return b"".join((_MEMBERS_START, uuid(group), flag(is_whole), *arrays))

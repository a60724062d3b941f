"""The provisioning log: rows written set-based beside the bookkeeping, partitions made ahead and dropped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from provisioning.store.batches import Batch
from provisioning.store.outcomes import OF_BATCH, Counts

# What Redact() puts into the log in place of a value (entra-expressions §3).
REDACTED = "[Redact]"
# A group's log row names this many members at most; the rest is told as a number.
NAMED_MEMBERS = 100
PARTITION_PREFIX = "provisioning_log_"

_ACTION = """CASE c.kind WHEN 'create' THEN 'Create' WHEN 'restore' THEN 'Create' WHEN 'delete' THEN 'Delete'
                  WHEN 'disable' THEN 'Disable' ELSE 'Update' END"""
_OBJECT_COLUMNS = "at, configuration_id, cycle_id, object_type, source_guid, source_name, target_id, action, \
status, error_code, detail, modified"
# Of a creation the attributes alone are kept: a list of old and new values takes fifteen times as long to make.
_CREATED = """CASE WHEN {document} ?| %(redacted)s
    THEN {document} || (SELECT jsonb_object_agg(key, %(mark)s::jsonb)
           FROM jsonb_object_keys({document}) AS key WHERE key = ANY(%(redacted)s))
    ELSE {document} END"""
_MODIFIED = """SELECT jsonb_agg(jsonb_build_object(
           'displayName', key,
           'oldValue', CASE WHEN key = ANY(%(redacted)s) AND c.old ? key THEN %(mark)s::jsonb ELSE c.old->key END,
           'newValue', CASE WHEN key = ANY(%(redacted)s) THEN %(mark)s::jsonb ELSE value END))
      FROM jsonb_each(c.new)"""
_STATUS = "CASE WHEN s.error_code = '' THEN 'Success' ELSE 'Failure' END"
_CREATIONS = f"""
INSERT INTO provisioning_log ({_OBJECT_COLUMNS}, created_references)
SELECT %(now)s, %(configuration)s, %(cycle)s, s.object_type, s.source_guid, s.source_name, coalesce(s.target_id, ''),
       'Create', {_STATUS}, s.error_code, s.error_detail, {_CREATED.format(document="s.document")},
       nullif(s.reference_guids, '{{}}')
  FROM staged_outcome s WHERE s.object_id IS NOT NULL
"""  # noqa: S608 — built from constants only
_CHANGES = f"""
INSERT INTO provisioning_log ({_OBJECT_COLUMNS})
SELECT %(now)s, %(configuration)s, c.cycle_id, c.object_type, o.guid, o.dn, coalesce(s.target_id, l.target_id, ''),
       {_ACTION}, {_STATUS}, s.error_code, s.error_detail,
       CASE WHEN c.kind = 'restore' AND c.new = '{{}}' THEN {_CREATED.format(document="d.document")}
            ELSE coalesce(({_MODIFIED}), '[]') END
  FROM staged_outcome s
  JOIN provisioning_change c ON {OF_BATCH}
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  CROSS JOIN LATERAL (SELECT o.create_only || o.wanted AS document) d
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE s.object_id IS NULL
"""  # noqa: S608 — built from constants only
_HELD = f"""
INSERT INTO provisioning_log ({_OBJECT_COLUMNS})
SELECT %(now)s, %(configuration)s, c.cycle_id, c.object_type, o.guid, o.dn, coalesce(l.target_id, ''),
       'StagedDelete', 'Skipped', %(code)s, %(detail)s, '[]'
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE c.cycle_id = %(cycle)s AND c.kind IN ('delete', 'disable')
"""  # noqa: S608 — built from constants only
_HELD_MEMBERSHIPS = f"""
INSERT INTO provisioning_log ({_OBJECT_COLUMNS})
SELECT %(now)s, %(configuration)s, %(cycle)s, g.object_type, g.guid, g.dn, coalesce(max(l.target_id), ''),
       'Update', 'Skipped', %(code)s, %(detail)s,
       jsonb_build_array(jsonb_build_object('displayName', 'members removed', 'count', count(*), 'newValue', NULL,
           'oldValue', to_jsonb((array_agg(o.dn ORDER BY o.dn))[1:{NAMED_MEMBERS}])))
  FROM provisioning_memberchange m
  JOIN provisioning_sourceobject g ON g.id = m.group_id
  JOIN provisioning_sourceobject o ON o.id = m.member_id
  LEFT JOIN provisioning_link l ON l.source_id = g.id
 WHERE m.cycle_id = %(cycle)s AND NOT m.is_addition
 GROUP BY g.id
"""  # noqa: S608 — built from constants only
_FAILED_AT_PLAN = f"""
INSERT INTO provisioning_log ({_OBJECT_COLUMNS})
SELECT %(now)s, %(configuration)s, c.cycle_id, c.object_type, o.guid, o.dn, coalesce(l.target_id, ''),
       {_ACTION}, 'Failure', c.error_code, c.error_detail, '[]'
  FROM provisioning_change c
  JOIN provisioning_sourceobject o ON o.id = c.source_id
  LEFT JOIN provisioning_link l ON l.source_id = o.id
 WHERE c.cycle_id = %(cycle)s AND c.status = 'failed'
"""  # noqa: S608 — built from constants only
_MEMBERSHIPS = f"""
WITH written AS MATERIALIZED (
    SELECT group_source, is_addition, error_code, max(group_id) AS target_id, count(*) AS count,
           (array_agg(member_source))[1:{NAMED_MEMBERS}] AS members
      FROM staged_membership GROUP BY group_source, is_addition, error_code
), named AS (
    SELECT w.group_source, w.is_addition, w.error_code, jsonb_agg(o.dn) AS names
      FROM written w
     CROSS JOIN LATERAL unnest(w.members) AS m (id)
      JOIN provisioning_sourceobject o ON o.id = m.id
     GROUP BY w.group_source, w.is_addition, w.error_code
)
INSERT INTO provisioning_log ({_OBJECT_COLUMNS})
SELECT %(now)s, %(configuration)s, %(cycle)s, g.object_type, g.guid, g.dn, m.target_id, 'Update',
       CASE WHEN m.error_code = '' THEN 'Success' ELSE 'Failure' END, m.error_code, '',
       jsonb_build_array(jsonb_build_object(
           'displayName', CASE WHEN m.is_addition THEN 'members added' ELSE 'members removed' END,
           'count', m.count,
           CASE WHEN m.is_addition THEN 'newValue' ELSE 'oldValue' END, n.names,
           CASE WHEN m.is_addition THEN 'oldValue' ELSE 'newValue' END, NULL))
  FROM written m
  LEFT JOIN named n USING (group_source, is_addition, error_code)
  JOIN provisioning_sourceobject g ON g.id = m.group_source
"""  # noqa: S608 — built from constants only
# Members of a group that the cycle has created, a first cycle's million, are kept by id: their source objects are not
# looked at. Not so where one of them is another configuration's, which may be forgotten before the row is. Nearly all
# groups have one set.
_FILLS = f"""
WITH filled AS MATERIALIZED (
    SELECT group_source, min(group_id) AS target_id, sum(cardinality(member_sources)) AS count,
           CASE WHEN count(*) = 1 THEN min(member_sources[1:{NAMED_MEMBERS}]) END AS members, bool_and(by_id) AS by_id
      FROM staged_fill GROUP BY group_source
), joined AS (
    SELECT s.group_source, (array_agg(m.id ORDER BY s.number))[1:{NAMED_MEMBERS}] AS members
      FROM filled f
      JOIN staged_fill s USING (group_source)
     CROSS JOIN LATERAL unnest(s.member_sources[1:{NAMED_MEMBERS}]) AS m (id)
     WHERE f.members IS NULL
     GROUP BY s.group_source
)
INSERT INTO provisioning_log ({_OBJECT_COLUMNS}, members)
SELECT %(now)s, %(configuration)s, %(cycle)s, g.object_type, g.guid, g.dn, f.target_id, 'Update', 'Success', '', '',
       jsonb_build_array(jsonb_build_object(
           'displayName', 'members added', 'count', f.count, 'oldValue', NULL, 'newValue', CASE WHEN NOT f.by_id THEN (
               SELECT jsonb_agg(o.dn) FROM provisioning_sourceobject o
                WHERE o.id = ANY(coalesce(f.members, j.members))) END)),
       CASE WHEN f.by_id THEN coalesce(f.members, j.members) END
  FROM filled f
  LEFT JOIN joined j USING (group_source)
  JOIN provisioning_sourceobject g ON g.id = f.group_source
"""  # noqa: S608 — built from constants only
_KEEP_NAMES = """
UPDATE provisioning_log l
   SET members = NULL,
       modified = jsonb_set(l.modified, '{0,newValue}', to_jsonb(ARRAY(
           SELECT o.dn FROM provisioning_sourceobject o WHERE o.id = ANY(l.members) ORDER BY o.dn)))
 WHERE l.configuration_id = %s AND l.members IS NOT NULL
"""


def write_staged(
    cursor: Any, configuration: UUID, batch: Batch, counts: Counts, redacted: Sequence[str], now: datetime
) -> None:
    """One row for each staged outcome of an object change, with its modified properties."""
    mark = f'"{REDACTED}"'
    parameters: dict[str, Any] = {"now": now, "configuration": configuration, **batch.parameters()}
    parameters |= {"redacted": list(redacted), "mark": mark}
    if counts.creations:
        cursor.execute(_CREATIONS, parameters)
    if counts.others:
        cursor.execute(_CHANGES, parameters)


def write_memberships(cursor: Any, configuration: UUID, cycle: int, now: datetime) -> None:
    """One row for each group, direction and outcome among the staged memberships."""
    cursor.execute(_MEMBERSHIPS, {"now": now, "configuration": configuration, "cycle": cycle})


def write_fills(cursor: Any, configuration: UUID, cycle: int, now: datetime) -> None:
    """One row for each group that is staged to be filled."""
    cursor.execute(_FILLS, {"now": now, "configuration": configuration, "cycle": cycle})


def keep_member_names(configuration: UUID) -> None:
    """Before its source objects are forgotten: in the log their names take the place of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_NAMES, [configuration])


def write_held(configuration: UUID, cycle: int, code: str, detail: str, now: datetime) -> None:
    """One row for each deletion and disable that waits for a person, and one for each group that loses members."""
    parameters: dict[str, Any] = {"now": now, "configuration": configuration, "cycle": cycle}
    parameters |= {"code": code, "detail": detail}
    with connection.cursor() as cursor:
        cursor.execute(_HELD, parameters)
        cursor.execute(_HELD_MEMBERSHIPS, parameters)


def write_failed_at_plan(configuration: UUID, cycle: int, now: datetime) -> None:
    """One row for each object whose mapping failed, so that nothing could be planned for it."""
    with connection.cursor() as cursor:
        cursor.execute(_FAILED_AT_PLAN, {"now": now, "configuration": configuration, "cycle": cycle})


def ensure_partitions(today: date, days_ahead: int) -> None:
    """Create the partitions of today and the days ahead."""
    with connection.cursor() as cursor:
        for offset in range(days_ahead + 1):
            day = today + timedelta(days=offset)
            cursor.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {} PARTITION OF provisioning_log FOR VALUES FROM ({}) TO ({})"
                ).format(
                    sql.Identifier(f"{PARTITION_PREFIX}{day:%Y%m%d}"),
                    sql.Literal(f"{day:%Y-%m-%d} 00:00:00+00"),
                    sql.Literal(f"{day + timedelta(days=1):%Y-%m-%d} 00:00:00+00"),
                )
            )


def drop_partitions(before: date) -> list[str]:
    """Drop the partitions of days before the given one; returns their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'provisioning_log'::regclass"
        )
        names = [row[0] for row in cursor.fetchall()]
        limit = f"{PARTITION_PREFIX}{before:%Y%m%d}"
        old = [name for name in names if name < limit and name[len(PARTITION_PREFIX) :].isdigit()]
        for name in old:
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(name)))
    return old

"""Creating objects whose documents are in a table of this session: nearly all of them never leave the database.

The table holds change_id, object_type (a :class:`MemberKind`), object_id (the id to give), anchor, document (jsonb)
and references_found (jsonb: attribute → [objectGUID, directory id]). One statement creates all that meet nobody. The
few others are handed to :mod:`directory.services.objects`, which knows hard match, soft match and parking.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import orjson
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from directory.matching import ANCHOR, CONFLICT, MatchPolicy, Refuse
from directory.models.membership import MemberKind
from directory.services import collisions, objects
from directory.services.inserting import insert_new
from directory.services.rows import MANAGED, MODEL_OF, Kept, ObjectWrite, Verb, WriteResult

_KINDS: Final = """
SELECT object_type, count(*) FROM {staged} WHERE object_id IS NOT NULL GROUP BY object_type ORDER BY 1
"""
_MANAGER_FOUND: Final = "(i.references_found->'Manager'->>1)::uuid"
# In order: of two that meet, the one that was known first is created. Who has an address in another table is looked up
# one by one: a join, or EXISTS, might read all of that table for each batch.
_CREATE: Final = """
INSERT INTO {table} AS o (id, immutable_id, attributes, created_at, updated_at, is_synchronized{manager_column})
SELECT i.object_id, i.anchor, i.document, %(now)s, %(now)s, true{manager_value}
  FROM {staged} i
 CROSS JOIN LATERAL (SELECT directory_primary_smtp(i.document) AS primary_smtp OFFSET 0) address
 WHERE i.object_type = %(kind)s AND i.anchor IS NOT NULL
   AND (address.primary_smtp IS NULL OR coalesce({other_addresses}) IS NULL)
 ORDER BY i.change_id
"""
_OTHER_ADDRESSES: Final = """
       (SELECT x.id FROM {other} x WHERE x.deleted_at IS NULL AND x.primary_smtp = address.primary_smtp LIMIT 1)"""
_LEFT_OVER: Final = """
SELECT i.change_id, i.object_id, i.anchor, i.document::text, {manager},
       EXISTS (SELECT 1 FROM {staged} e
                WHERE e.object_type = i.object_type AND e.anchor = i.anchor AND e.change_id < i.change_id)
  FROM {staged} i
 WHERE i.object_type = %(kind)s AND i.object_id IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM {table} o WHERE o.id = i.object_id)
 ORDER BY i.change_id
"""


def create(
    table: str, now: datetime, policy: MatchPolicy, kept: Mapping[MemberKind, Kept] = MappingProxyType({})
) -> list[WriteResult]:
    """Create all objects of the table; what became of those that met another object or were refused.

    ``kept`` by kind are attributes that are not simply written to an object that is there.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(_KINDS).format(staged=sql.Identifier(table)))
        kinds = {MemberKind(kind): int(count) for kind, count in cursor.fetchall()}
    return [
        result
        for kind, expected in kinds.items()
        for result in _create(kind, table, expected, now, policy, kept.get(kind, objects.NOTHING_KEPT))
    ]


def _create(
    kind: MemberKind, table: str, expected: int, now: datetime, policy: MatchPolicy, kept: Kept
) -> list[WriteResult]:
    parameters: dict[str, Any] = {"kind": int(kind), "now": now}
    places = _places(kind, table)
    with connection.cursor() as cursor:
        if _insert(cursor, sql.SQL(_CREATE).format(**places), parameters) == expected:
            return []
        cursor.execute(sql.SQL(_LEFT_OVER).format(**places), parameters)
        left_over = cursor.fetchall()
    settled = _settle(kind, left_over, now, policy, kept)
    return _with_held(kind, settled, kept.names) if kept.names else settled


def _insert(cursor: Any, statement: sql.Composed, parameters: Mapping[str, Any]) -> int:
    """How many were created: all at once if nobody meets anybody, else those that do not."""
    try:
        with transaction.atomic():
            insert_new(cursor, statement.as_string(), parameters)
    except DatabaseError as error:
        if not objects.is_about_values(error):
            raise
        # A value that no column can hold: the writer finds out which object's.
        return 0
    return int(cursor.rowcount)


def _with_held(kind: MemberKind, results: Sequence[WriteResult], names: Sequence[str]) -> list[WriteResult]:
    """The results with what the objects now hold of these attributes."""
    ids = [one.object_id for one in results if one.object_id is not None]
    held = dict(MODEL_OF[kind]._default_manager.filter(pk__in=ids).values_list("pk", "attributes"))
    return [
        replace(one, held=orjson.dumps({name: held[one.object_id].get(name) for name in names}).decode())
        if one.object_id in held
        else one
        for one in results
    ]


def _settle(
    kind: MemberKind, left_over: Sequence[Sequence[Any]], now: datetime, policy: MatchPolicy, kept: Kept
) -> list[WriteResult]:
    results: list[WriteResult] = []
    writes: list[ObjectWrite] = []
    for key, object_id, anchor, document, manager_id, is_twin in left_over:
        one = ObjectWrite(key, Verb.CREATE, object_id, anchor, document, manager_id)
        if anchor is None:
            results.append(collisions.without_anchor(one))
        elif is_twin:
            # Of two creations with one anchor the second is another object's: it must not share the first's.
            results.append(collisions.refused(one, Refuse(CONFLICT, ANCHOR)))
        else:
            writes.append(one)
    return [*results, *objects.write(kind, writes, now, policy, kept)]


def _places(kind: MemberKind, table: str) -> dict[str, sql.Composable]:
    is_managed = kind in MANAGED
    others = sql.SQL(", ").join(
        sql.SQL(_OTHER_ADDRESSES).format(other=sql.Identifier(model._meta.db_table))
        for other, model in MODEL_OF.items()
        if other is not kind
    )
    return {
        "staged": sql.Identifier(table),
        "table": sql.Identifier(MODEL_OF[kind]._meta.db_table),
        "manager_column": sql.SQL(", manager_id" if is_managed else ""),
        "manager_value": sql.SQL(f", {_MANAGER_FOUND}" if is_managed else ""),
        "manager": sql.SQL(_MANAGER_FOUND if is_managed else "NULL"),
        "other_addresses": others,
    }

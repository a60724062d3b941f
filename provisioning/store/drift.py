"""What the built-in directory holds otherwise than we last wrote it, compared in chunks of links.

A chunk is a range of target ids, which an index serves; what is compared of it is looked up by primary keys. Only
differences leave the database. Links of objects that are not wanted (any more) are the next plan's affair, except
those of objects that we deleted and that are back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import connection

from provisioning.models import Configuration
from provisioning.store import neighbours

# The one reference attribute that the directory keeps.
MANAGER: Final = "Manager"
# Findings kept of each kind; all are counted.
LISTED: Final = 1_000
EVERYTHING: Final = 1 << 62

# For some thousand look-ups the planner may find it cheaper to read a whole table once. It is, once; over all chunks
# that is quadratic.
_BY_INDEX: Final = """
SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
SET LOCAL max_parallel_workers_per_gather = 0
"""
_CHUNK: Final = """
SELECT count(*), max(target_id) FROM (
    SELECT target_id FROM provisioning_link
     WHERE configuration_id = %(configuration)s AND target_id > %(after)s ORDER BY target_id LIMIT %(size)s) AS chunk
"""
# Documents that are equal, as nearly all are, are not taken apart. Of an object that we made, an attribute that the
# mapping clears and that was not exported is empty by our doing. A parked value is known not to be there, and what is
# not wanted any more is not ours.
_OBJECTS: Final = """
WITH compared AS (
    SELECT l.source_id, l.target_id, l.exported, l.reference_guids->>%(manager)s AS manager_guid, o.object_type, o.guid,
           o.dn, o.gone_reason, o.wanted, coalesce(u.attributes, g.attributes, c.attributes) AS held,
           coalesce(u.manager_id, c.manager_id)::text AS held_manager,
           coalesce(u.provisioning_errors, g.provisioning_errors, c.provisioning_errors, '[]') AS parked,
           coalesce(u.created_at, g.created_at, c.created_at) >= l.linked_at AS is_made_by_us,
           CASE WHEN l.state = 'active' AND o.in_scope AND NOT o.is_gone THEN
                CASE WHEN coalesce(u.id, g.id, c.id) IS NULL THEN 'missing'
                     WHEN coalesce(u.deleted_at, g.deleted_at, c.deleted_at) IS NOT NULL THEN 'deleted'
                     WHEN coalesce(u.immutable_id, g.immutable_id, c.immutable_id) IS NULL THEN 'unlinked'
                     ELSE 'here' END
                WHEN l.state = 'deleted' AND NOT (o.in_scope AND NOT o.is_gone)
                     AND coalesce(u.id, g.id, c.id) IS NOT NULL
                     AND coalesce(u.deleted_at, g.deleted_at, c.deleted_at) IS NULL THEN 'returned' END AS standing
      FROM provisioning_link l
      JOIN provisioning_sourceobject o ON o.id = l.source_id
      LEFT JOIN directory_user u ON u.id = CASE WHEN o.object_type = 1 THEN l.target_id::uuid END
      LEFT JOIN directory_group g ON g.id = CASE WHEN o.object_type = 2 THEN l.target_id::uuid END
      LEFT JOIN directory_contact c ON c.id = CASE WHEN o.object_type = 3 THEN l.target_id::uuid END
     WHERE l.configuration_id = %(configuration)s AND l.target_id > %(after)s AND l.target_id <= %(last)s
)
SELECT c.source_id, c.object_type, c.guid::text, c.dn, c.gone_reason, c.target_id, c.standing, differing.names::text,
       astray.dn, c.held_manager
  FROM compared c
  LEFT JOIN LATERAL (
      SELECT jsonb_object_agg(e.key, jsonb_build_array(e.value, c.held->e.key)) AS names
        FROM (SELECT key, value
                FROM jsonb_each(CASE WHEN c.standing = 'here' AND c.held <> c.exported THEN c.exported END)
               WHERE c.wanted ? key
               UNION ALL
              SELECT name, NULL
                FROM jsonb_array_elements_text(CASE WHEN c.standing = 'here' AND c.held <> c.exported
                     AND c.is_made_by_us THEN %(clears)s::jsonb->c.object_type::text END) AS name
               WHERE NOT c.exported ? name AND NOT c.wanted ? name) e
       WHERE c.held->e.key IS DISTINCT FROM e.value
         AND NOT c.parked @> jsonb_build_array(jsonb_build_object('propertyCausingError', e.key))
  ) differing ON true
  LEFT JOIN LATERAL (
      SELECT a.dn
        FROM provisioning_sourceobject a JOIN provisioning_link al ON al.source_id = a.id AND al.state = 'active'
       WHERE a.configuration_id = ANY(%(home)s)
         AND a.guid = CASE WHEN c.standing = 'here' THEN c.manager_guid::uuid END
         AND al.target_id IS DISTINCT FROM c.held_manager
       LIMIT 1
  ) astray ON true
  LEFT JOIN LATERAL (
      SELECT true AS is_so FROM provisioning_link other
       WHERE other.configuration_id = ANY(%(siblings)s) AND other.state = 'active'
         AND other.target_id = CASE WHEN c.standing = 'returned' THEN c.target_id END
       LIMIT 1
  ) linked_anew ON true
 WHERE c.standing IN ('missing', 'deleted', 'unlinked') OR differing.names IS NOT NULL OR astray.dn IS NOT NULL
    OR c.standing = 'returned' AND linked_anew.is_so IS NULL
 ORDER BY c.target_id
"""
# Groups whose members are not those that were written: other numbers of them, or another checksum over their ids. The
# hash is seeded anew for each run, so that what two sets have by chance in common they do not have twice.
_SUSPECTS: Final = """
WITH groups AS MATERIALIZED (
    SELECT l.source_id, l.target_id::uuid AS held_id
      FROM provisioning_link l
      JOIN provisioning_sourceobject o
        ON o.id = l.source_id AND o.object_type = 2 AND o.in_scope AND NOT o.is_gone
      JOIN directory_group d ON d.id = l.target_id::uuid AND d.deleted_at IS NULL AND d.immutable_id IS NOT NULL
     WHERE l.configuration_id = %(configuration)s AND l.target_id > %(after)s AND l.target_id <= %(last)s
       AND l.state = 'active'
), members AS (
    SELECT g.source_id, 1 AS one, uuid_hash_extended(m.target_id::uuid, %(seed)s) AS hash
      FROM groups g
     CROSS JOIN LATERAL (SELECT unnest(members) AS member_id
                           FROM provisioning_linkmemberset WHERE group_id = g.source_id) w
      JOIN provisioning_link m ON m.source_id = w.member_id
    UNION ALL
    SELECT g.source_id, -1, uuid_hash_extended(d.member_id, %(seed)s)
      FROM groups g
     CROSS JOIN LATERAL (SELECT unnest(members) AS member_id
                           FROM directory_memberset WHERE group_id = g.held_id) d
)
SELECT source_id FROM members GROUP BY source_id HAVING sum(one) <> 0 OR bit_xor(hash) <> 0
"""
# Looked up one by one: of an EXISTS the planner might read the whole table.
_IS_HERE: Final = """coalesce((SELECT true FROM directory_user WHERE id = {id} AND deleted_at IS NULL),
                (SELECT true FROM directory_group WHERE id = {id} AND deleted_at IS NULL),
                (SELECT true FROM directory_contact WHERE id = {id} AND deleted_at IS NULL), false)"""
# Of each group both lists of members go into one hash: a look-up in a set would take that apart each time.
# A member that is itself absent is told as that. A row about an object that no table has is nobody's membership.
_MEMBERSHIPS: Final = f"""
WITH compared AS MATERIALIZED (
    SELECT l.source_id, l.target_id, o.guid, o.dn, differing.*
      FROM provisioning_link l JOIN provisioning_sourceobject o ON o.id = l.source_id
     CROSS JOIN LATERAL (
           SELECT member_target, array_remove(array_agg(wanted), NULL) AS wanted, bool_and(is_held) AS is_extra
             FROM (SELECT m.target_id::uuid AS member_target, false AS is_held,
                          CASE WHEN m.state = 'active' THEN w.member_id END AS wanted
                     FROM (SELECT unnest(members) AS member_id
                             FROM provisioning_linkmemberset WHERE group_id = l.source_id) w
                     JOIN provisioning_link m ON m.source_id = w.member_id
                    UNION ALL
                   SELECT unnest(members), true, NULL
                     FROM directory_memberset WHERE group_id = l.target_id::uuid) AS either
            GROUP BY member_target HAVING bool_and(is_held) OR NOT bool_or(is_held)) differing
     WHERE l.source_id = ANY(%(suspects)s)
), gone AS (
    SELECT c.*, m.id AS member_id FROM compared c CROSS JOIN LATERAL unnest(c.wanted) AS m (id)
), missing AS (
    SELECT g.source_id, g.target_id, g.guid, g.dn, g.member_id, o.dn AS member_name
      FROM gone g JOIN provisioning_sourceobject o ON o.id = g.member_id
     WHERE {_IS_HERE.format(id="g.member_target")}
), known AS (
    SELECT c.*, m.source_id AS member_id, m.dn AS member_name
      FROM compared c LEFT JOIN LATERAL (
           SELECT l.source_id, o.dn
             FROM provisioning_link l JOIN provisioning_sourceobject o ON o.id = l.source_id
            WHERE l.configuration_id = ANY(%(siblings)s) AND l.target_id = c.member_target::text
            ORDER BY l.state LIMIT 1) m ON true
     WHERE c.is_extra
), found AS (
    SELECT 'membershipMissing' AS kind, source_id, target_id, guid, dn, member_id, member_name FROM missing
    UNION ALL
    SELECT 'membershipExtra', source_id, target_id, guid, dn, member_id, member_name
      FROM known WHERE member_id IS NOT NULL
    UNION ALL
    SELECT 'membershipForeign', source_id, target_id, guid, dn, NULL, coalesce((
           SELECT coalesce(user_principal_name, display_name) FROM directory_user WHERE id = member_target
           UNION ALL SELECT display_name FROM directory_group WHERE id = member_target
           UNION ALL SELECT coalesce(mail, display_name) FROM directory_contact WHERE id = member_target
           LIMIT 1), member_target::text)
      FROM known WHERE member_id IS NULL AND {_IS_HERE.format(id="member_target")}
), numbered AS (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY source_id, member_id) AS place FROM found
), kept AS (
    INSERT INTO provisioning_drift (reconciliation_id, kind, object_type, source_id, source_guid, source_name,
                                    target_id, member_id, member_name, detail)
    SELECT %(reconciliation)s, kind, 2, source_id, guid, dn, target_id, member_id, member_name, '[]'
      FROM numbered WHERE place <= (%(room)s::jsonb->>kind)::bigint
)
SELECT kind, count(*) FROM found GROUP BY kind
"""  # noqa: S608 — built from constants only
_KEEP: Final = (
    "COPY provisioning_drift (reconciliation_id, kind, object_type, source_id, source_guid, source_name, \
target_id, member_name, detail) FROM STDIN"
)
_PRUNE: Final = """
DELETE FROM provisioning_drift f USING (
    SELECT id, row_number() OVER (PARTITION BY kind ORDER BY id) AS place
      FROM provisioning_drift WHERE reconciliation_id = %(reconciliation)s) AS numbered
 WHERE f.id = numbered.id AND numbered.place > %(listed)s
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose links are compared: ``home`` are the configurations that references resolve in, itself among them,
    ``siblings`` all configurations of its target."""

    configuration: UUID
    home: Sequence[UUID]
    siblings: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Links by target id, after one and up to another; ``links`` is how many."""

    after: str
    last: str
    links: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that differs; ``standing`` is ``here`` for one whose attributes or manager do.

    ``names`` maps attributes to the value written and the value held. ``manager`` is the name of the manager it should
    have, None where that is right, and ``held_manager`` the target id of the one it has.
    """

    source_id: int
    object_type: int
    guid: str
    dn: str
    gone_reason: str
    target_id: str
    standing: str
    names: Mapping[str, tuple[Any, Any]]
    manager: str | None
    held_manager: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One row to be kept; ``detail`` lists attributes."""

    kind: str
    of: Difference
    detail: list[dict[str, Any]] = field(default_factory=list)


def scope_of(configuration: Configuration) -> Scope:
    """Itself, its neighbours, and everything else that writes to its target."""
    same = Configuration.objects.filter(target_id=configuration.target_id)
    home = (configuration.pk, *neighbours.of(configuration))
    return Scope(configuration.pk, home, tuple(same.values_list("pk", flat=True)))


def go_by_index() -> None:
    """Let this transaction look rows up instead of reading whole tables."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_INDEX)


def next_chunk(scope: Scope, after: str, size: int) -> Chunk | None:
    """The next links to be compared; None after the last."""
    with connection.cursor() as cursor:
        cursor.execute(_CHUNK, {"configuration": scope.configuration, "after": after, "size": size})
        links, last = cursor.fetchone()
    return Chunk(after, last, links) if links else None


def objects(scope: Scope, chunk: Chunk, clears: Mapping[int, Sequence[str]]) -> Iterator[Difference]:
    """Objects of a chunk that differ. ``clears`` are by object type the attributes that the mapping clears."""
    parameters = {**_range(scope, chunk), "home": list(scope.home), "siblings": list(scope.siblings)}
    parameters["clears"] = as_json(clears)
    with connection.cursor() as cursor:
        cursor.execute(_OBJECTS, {**parameters, "manager": MANAGER})
        rows = cursor.fetchall()
    for source_id, object_type, guid, dn, gone_reason, target_id, standing, names, *managers in rows:
        pairs = orjson.loads(names) if names else {}
        yield Difference(
            source_id,
            object_type,
            guid,
            dn,
            gone_reason,
            target_id,
            standing,
            {name: (pair[0], pair[1]) for name, pair in pairs.items()},
            *managers,
        )


def as_json(clears: Mapping[int, Sequence[str]]) -> str:
    """Attributes by object type as a JSON document."""
    return orjson.dumps({str(key): list(names) for key, names in clears.items()}).decode()


def keep(reconciliation: int, findings: Iterable[Finding]) -> None:
    """COPY findings about objects."""
    with connection.cursor() as cursor, cursor.copy(_KEEP) as copy:
        for one in findings:
            of, detail = one.of, orjson.dumps(one.detail).decode()
            copy.write_row(
                (
                    reconciliation,
                    one.kind,
                    of.object_type,
                    of.source_id,
                    of.guid,
                    of.dn,
                    of.target_id,
                    "",
                    detail,
                )
            )


def memberships(reconciliation: int, scope: Scope, chunk: Chunk, room: Mapping[str, int]) -> Counter[str]:
    """Keep what differs in the memberships of a chunk's groups, ``room`` rows of each kind; counts of all."""
    with connection.cursor() as cursor:
        cursor.execute(_SUSPECTS, {**_range(scope, chunk), "seed": reconciliation})
        suspects = [row[0] for row in cursor.fetchall()]
        if not suspects:
            return Counter()
        parameters: dict[str, Any] = {"suspects": suspects, "siblings": list(scope.siblings)}
        parameters |= {"reconciliation": reconciliation, "room": orjson.dumps(dict(room)).decode()}
        cursor.execute(_MEMBERSHIPS, parameters)
        return Counter(dict(cursor.fetchall()))


def prune(reconciliation: int) -> None:
    """Keep the first findings of each kind."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, {"reconciliation": reconciliation, "listed": LISTED})


def _range(scope: Scope, chunk: Chunk) -> dict[str, Any]:
    return {"configuration": scope.configuration, "after": chunk.after, "last": chunk.last}

"""Reading what a preview needs, in a transaction in which the database itself refuses to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from provisioning.engine.plan import LinkStanding
from provisioning.store.planning import IS_TRIED_NOW
from provisioning.store.stored import FETCH_ROWS, StoredObject

# An initial cycle creates what is not in the target yet, marked or not.
_OBJECTS = f"""
SELECT o.id, o.guid::text, o.object_type, o.attributes::text, o.dn, o.is_gone, o.gone_reason, coalesce(l.state, 'none'),
       l.exported::text, l.reference_guids::text
  FROM provisioning_sourceobject o
  LEFT JOIN provisioning_link l ON l.source_id = o.id
  LEFT JOIN provisioning_escrow e ON e.source_id = o.id
 WHERE o.configuration_id = %(configuration)s AND (NOT o.is_gone OR l.state = 'active')
   AND (NOT %(next_only)s OR o.state_changes_at <= %(now)s
        OR (o.is_dirty OR l.source_id IS NULL AND o.in_scope) AND {IS_TRIED_NOW})
 ORDER BY o.id
"""  # noqa: S608 — built from constants only


@dataclass(frozen=True, slots=True)
class PreviewedObject:
    """A stored object beside what was exported of it; documents are JSON text, None without a link."""

    stored: StoredObject
    is_gone: bool
    gone_reason: str
    standing: str
    exported: str | None
    references: str | None

    @property
    def link(self) -> LinkStanding:
        """How it stands towards the target."""
        return LinkStanding(self.standing)


@contextmanager
def nothing_is_written() -> Iterator[None]:
    """A transaction that can not write; must not be nested in another one."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
        yield


def objects(configuration: UUID, now: datetime, *, next_only: bool) -> Iterator[list[PreviewedObject]]:
    """Every stored object that counts, a few at a time; with ``next_only`` those the next plan looks at."""
    parameters: dict[str, Any] = {"configuration": configuration, "now": now, "next_only": next_only}
    with connection.chunked_cursor() as cursor:
        cursor.execute(_OBJECTS, parameters)
        while rows := cursor.fetchmany(FETCH_ROWS):
            yield [PreviewedObject(StoredObject(*row[:5]), *row[5:]) for row in rows]

"""Reading stored source objects back, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

# Rows held in memory at a time, whatever the size of the domain.
FETCH_ROWS = 1_000

_DUE = """
SELECT id, guid::text, object_type, attributes::text, dn FROM provisioning_sourceobject
 WHERE configuration_id = %s AND state_changes_at <= %s AND NOT is_gone AND id > %s
 ORDER BY id LIMIT %s
"""

_LIVING = """
SELECT id, guid::text, object_type, attributes::text, dn FROM provisioning_sourceobject
 WHERE configuration_id = %s AND NOT is_gone
"""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What AD last said of an object; ``attributes`` is JSON text."""

    id: int
    guid: str
    object_type: int
    attributes: str
    dn: str


def living(configuration: UUID) -> Iterator[list[StoredObject]]:
    """Every object that is not gone, as it is when this begins; needs an open transaction.

    Between two lists the connection is free for other statements.
    """
    with connection.chunked_cursor() as cursor:
        cursor.execute(_LIVING, [configuration])
        while rows := cursor.fetchmany(FETCH_ROWS):
            yield [StoredObject(*row) for row in rows]


def due(configuration: UUID, now: datetime) -> Iterator[list[StoredObject]]:
    """Objects whose moment has come."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DUE, [configuration, now, last, FETCH_ROWS])
            found = [StoredObject(*row) for row in cursor.fetchall()]
        if not found:
            return
        last = found[-1].id
        yield found

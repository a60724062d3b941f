"""Hard deletion: what was soft-deleted for longer than it can be restored."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection

from directory.services.rows import MODEL_OF, RESTORABLE

# Rows removed by one statement: it holds its locks for a fraction of a second, whatever has piled up.
CHUNK: Final = 5_000
# Memberships and managers went with the soft deletion.
_PURGE = """
DELETE FROM {table} WHERE id = ANY(ARRAY(
    SELECT id FROM {table} WHERE deleted_at <= %s ORDER BY deleted_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def purge(now: datetime) -> int:
    """Remove for good what can not be restored any more; how many objects."""
    return sum(_purge(model._meta.db_table, now - RESTORABLE) for model in MODEL_OF.values())


def _purge(table: str, before: datetime) -> int:
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PURGE.format(table=table), [before, CHUNK])
            gone: int = cursor.rowcount
        removed += gone
        if gone < CHUNK:
            return removed

"""Primary SMTP addresses that objects of another type hold: no unique index can watch over several tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import connection

from directory.matching import PRIMARY
from directory.models.membership import MemberKind
from directory.services import documents
from directory.services.rows import MODEL_OF, ObjectWrite

_MARK: Final = '"SMTP:'
_HELD: Final = """
SELECT primary_smtp FROM {table} WHERE deleted_at IS NULL AND primary_smtp = ANY(SELECT lower(unnest(%s::text[])))
"""


def by_other_types(kind: MemberKind, writes: Sequence[ObjectWrite]) -> set[int]:
    """The keys of the writes whose primary address an object of another type holds; nearly always none."""
    wanted: dict[int, str] = {}
    for one in writes:
        # Most objects have no address: looking for the mark is cheaper than reading the document.
        if _MARK in one.document and (primary := documents.primary_of(documents.read(one.document))):
            wanted[one.key] = primary[len(PRIMARY) :]
    held = _held_by_others(kind, sorted(set(wanted.values()))) if wanted else set()
    return {key for key, address in wanted.items() if address.lower() in held} if held else set()


def _held_by_others(kind: MemberKind, addresses: list[str]) -> set[str]:
    found: set[str] = set()
    with connection.cursor() as cursor:
        for other, model in MODEL_OF.items():
            if other is not kind:
                cursor.execute(_HELD.format(table=model._meta.db_table), [addresses])
                found.update(row[0] for row in cursor.fetchall())
    return found

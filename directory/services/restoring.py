"""Bringing one soft-deleted object back by hand, with its id and attributes."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.db import IntegrityError, connection, transaction

from directory.matching import CONFLICT, PRINCIPAL_NAME, MatchPolicy, Refuse, decide
from directory.models.membership import MemberKind
from directory.services import collisions
from directory.services.rows import MODEL_OF, RESTORABLE, ObjectWrite, Verb, WriteResult

# A person is there to read the refusal: nothing is parked.
_POLICY: Final = MatchPolicy(parks_duplicates=False)
_FIND: Final = """
SELECT attributes::text, deleted_at FROM {table} WHERE id = %s FOR UPDATE
"""
_RESTORE: Final = "UPDATE {table} SET deleted_at = NULL, updated_at = %s WHERE id = %s"
NOT_IN_BIN: Final = "ObjectNotInBin"
GONE_FOR_GOOD: Final = "DeletedForGood"


def restore(kind: MemberKind, object_id: UUID, now: datetime) -> WriteResult:
    """Restore the object; or the code of why not: it is not in the bin, its time is over, or it meets another one."""
    table = MODEL_OF[kind]._meta.db_table
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FIND.format(table=table), [object_id])
        row = cursor.fetchone()
        if row is None or row[1] is None:
            return WriteResult(0, None, NOT_IN_BIN)
        if row[1] <= now - RESTORABLE:
            return WriteResult(0, None, GONE_FOR_GOOD)
        one = ObjectWrite(0, Verb.UPDATE, object_id, None, row[0])
        refusal = decide(collisions.holders(kind, orjson.loads(row[0]), object_id), _POLICY, is_new=False)
        if isinstance(refusal, Refuse):
            return collisions.refused(one, refusal)
        try:
            with transaction.atomic():
                cursor.execute(_RESTORE.format(table=table), [now, object_id])
        except IntegrityError:
            # Somebody else took the name or the address at this very moment.
            return collisions.refused(one, Refuse(CONFLICT, PRINCIPAL_NAME))
        return WriteResult(0, object_id)

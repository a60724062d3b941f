"""Duplicate attribute resiliency: a value that another object holds is parked on the object that wanted it.

``provisioning_errors`` of an object is a list in the shape of Graph's onPremisesProvisioningErrors. An entry goes when
the attribute is written again, or when :func:`give_back` finds that nobody holds the value any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from django.db import connection, transaction

from directory.matching import ADDRESSES, MatchPolicy
from directory.models.membership import MemberKind
from directory.services import objects
from directory.services.documents import Document
from directory.services.rows import MODEL_OF, ObjectWrite, Verb

# Objects looked at in one transaction.
CHUNK: Final = 500
_FREE = """
SELECT o.id, e->>'propertyCausingError', e->>'value', o.attributes->'ProxyAddresses'
  FROM {table} o CROSS JOIN LATERAL jsonb_array_elements(o.provisioning_errors) e
 WHERE o.provisioning_errors IS NOT NULL AND o.deleted_at IS NULL AND o.id > %(after)s
   AND CASE WHEN e->>'propertyCausingError' = 'UserPrincipalName' THEN NOT EXISTS (
       SELECT 1 FROM directory_user u
        WHERE u.deleted_at IS NULL AND lower(u.user_principal_name) = lower(e->>'value'))
   ELSE NOT EXISTS (
       SELECT 1 FROM directory_user u
        WHERE u.deleted_at IS NULL AND u.primary_smtp = lower(substr(e->>'value', 6)))
    AND NOT EXISTS (
       SELECT 1 FROM directory_group g
        WHERE g.deleted_at IS NULL AND g.primary_smtp = lower(substr(e->>'value', 6)))
    AND NOT EXISTS (
       SELECT 1 FROM directory_contact c
        WHERE c.deleted_at IS NULL AND c.primary_smtp = lower(substr(e->>'value', 6)))
   END
 ORDER BY o.id LIMIT %(limit)s
"""


def give_back(now: datetime) -> int:
    """Write every parked value that nobody holds any more; how many objects got theirs."""
    return sum(_give_back_chunk(kind, chunk, now) for kind in MemberKind for chunk in _free(kind))


def _free(kind: MemberKind) -> Iterable[dict[UUID, Document]]:
    statement = _FREE.format(table=MODEL_OF[kind]._meta.db_table)
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"after": after, "limit": CHUNK})
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        documents: dict[UUID, Document] = {}
        for object_id, attribute, value, addresses in rows:
            held = orjson.loads(addresses) if isinstance(addresses, str) else addresses or []
            given = [*held, value] if attribute == ADDRESSES else value
            documents.setdefault(object_id, {})[attribute] = given
        yield documents


def _give_back_chunk(kind: MemberKind, documents: dict[UUID, Document], now: datetime) -> int:
    writes = [
        ObjectWrite(key, Verb.UPDATE, object_id, None, orjson.dumps(document).decode())
        for key, (object_id, document) in enumerate(documents.items())
    ]
    with transaction.atomic():
        # Two objects may wait for one value: the second one stays as it is.
        results = objects.write(kind, writes, now, MatchPolicy(parks_duplicates=False))
    return sum(1 for result in results if not result.error_code)

"""Containers and groups by which scopes are limited: where they are, as agents tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from provisioning.models import ScopeKind, ScopeName
from provisioning.store.rows import NamedScope

_MERGE = """
INSERT INTO provisioning_scopename AS n (configuration_id, guid, kind, dn, told_in)
SELECT %(configuration)s, guid, kind, dn, %(cycle)s
  FROM unnest(%(guids)s::uuid[], %(kinds)s::text[], %(dns)s::text[]) AS told (guid, kind, dn)
ON CONFLICT (configuration_id, guid) DO UPDATE
   SET kind = excluded.kind, dn = excluded.dn, told_in = excluded.told_in
 WHERE n.dn <> excluded.dn OR n.kind <> excluded.kind OR n.told_in IS NULL OR %(everything)s
"""
_REMEMBER = """
INSERT INTO provisioning_scopename AS n (configuration_id, guid, kind, dn) VALUES (%s, %s, %s, %s)
ON CONFLICT (configuration_id, guid) DO UPDATE SET kind = excluded.kind, dn = excluded.dn WHERE n.told_in IS NULL
"""


def merge(
    configuration: UUID, cycle: int, names: Mapping[str, NamedScope], lost: Sequence[str], *, everything: bool
) -> None:
    """Take over what a page tells; ``everything`` during a full read, after which the rest is forgotten."""
    if lost:
        ScopeName.objects.filter(configuration=configuration, guid__in=lost).delete()
    if names:
        parameters: dict[str, Any] = {
            "configuration": configuration,
            "cycle": cycle,
            "everything": everything,
            "guids": list(names),
            "kinds": [one.kind for one in names.values()],
            "dns": [one.dn for one in names.values()],
        }
        with connection.cursor() as cursor:
            cursor.execute(_MERGE, parameters)


def forget_untold(configuration: UUID, cycle: int) -> None:
    """After a complete full read: containers that it did not tell of are gone."""
    known = ScopeName.objects.filter(configuration=configuration, kind=ScopeKind.CONTAINER)
    known.filter(told_in__isnull=False).exclude(told_in=cycle).delete()


def remember(configuration: UUID, guid: str, kind: ScopeKind, dn: str) -> None:
    """Keep what was looked up, unless agents have told of it since."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [configuration, guid, kind.value, dn])


def told(configuration: UUID, guids: Iterable[str]) -> dict[str, str]:
    """The names, by objectGUID, of those of which agents told along with the objects."""
    rows = ScopeName.objects.filter(configuration=configuration, guid__in=list(guids), told_in__isnull=False)
    return {str(guid): dn for guid, dn in rows.values_list("guid", "dn")}

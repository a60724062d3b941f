"""Mapping stored objects anew, without asking Active Directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

import orjson

from provisioning.models import ObjectType
from provisioning.services.page_reader import map_object
from provisioning.services.reading import Reading
from provisioning.store import staging, stored
from provisioning.store.rows import StagedObject, StagedPage
from provisioning.store.stored import StoredObject


def due(configuration: UUID, reader: Reading, cycle: int, now: datetime) -> None:
    """Map the objects whose account expires by now; the plan then finds what that changes."""
    for objects in stored.due(configuration, now):
        page = StagedPage(objects=list(remapped(objects, reader, now)))
        staging.merge(configuration, cycle, page, now, mark_seen=False)


def remapped(objects: Iterable[StoredObject], reader: Reading, now: datetime) -> Iterator[StagedObject]:
    """What the mapping makes of stored objects at this moment; types that are not mapped are left out."""
    context = reader.context(now)
    for one in objects:
        object_type = ObjectType(one.object_type)
        mapped = reader.types.get(object_type.label)
        if mapped is not None:
            yield map_object(one.guid, object_type, orjson.loads(one.attributes), mapped, context)

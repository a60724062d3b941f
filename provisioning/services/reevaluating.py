"""Mapping stored objects anew, without asking Active Directory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from provisioning.models import Job, ObjectType
from provisioning.services import coverage
from provisioning.services.page_reader import map_object
from provisioning.services.reading import Reading
from provisioning.store import staging, stored
from provisioning.store.encoding import encoded
from provisioning.store.rows import StagedObject, StagedPage
from provisioning.store.stored import StoredObject

OUT_OF_SCOPE: Final = "outOfScope"


def everything(job: Job, reader: Reading, cycle: int, now: datetime) -> None:
    """Look at every stored object under another scope or mapping; the plan then looks at all of them.

    The caller has made sure that they hold all that is needed (:func:`coverage.gaps`).
    """
    is_within = coverage.within(job, reader.question)
    for objects in stored.living(job.configuration_id):
        kept = [one for one in objects if _is_mapped(one, reader) and is_within(one.dn)]
        staying = {one.guid for one in kept}
        left = [one.guid for one in objects if one.guid not in staying]
        gone = {OUT_OF_SCOPE: left} if left else {}
        page = StagedPage(objects=list(remapped(kept, reader, now)), tombstones=gone)
        staging.merge(job.configuration_id, cycle, encoded(page), now, mark_seen=False)


def due(configuration: UUID, reader: Reading, cycle: int, now: datetime) -> None:
    """Map the objects whose account expires by now; the plan then finds what that changes."""
    for objects in stored.due(configuration, now):
        page = StagedPage(objects=list(remapped(objects, reader, now)))
        staging.merge(configuration, cycle, encoded(page), now, mark_seen=False)


def _is_mapped(one: StoredObject, reader: Reading) -> bool:
    return ObjectType(one.object_type).label in reader.types


def remapped(objects: Iterable[StoredObject], reader: Reading, now: datetime) -> Iterator[StagedObject]:
    """What the mapping makes of stored objects at this moment; types that are not mapped are left out."""
    context = reader.context(now)
    for one in objects:
        object_type = ObjectType(one.object_type)
        mapped = reader.types.get(object_type.label)
        if mapped is not None:
            yield map_object(one.guid, object_type, orjson.loads(one.attributes), mapped, context)

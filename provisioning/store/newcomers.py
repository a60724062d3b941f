"""Objects that are told of for the first time, and their members: COPY straight into the tables.

Nearly all of a first read. It takes half of what staging and merging do, and every page after it finds them known.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import transaction

from provisioning.store import copy_text
from provisioning.store.rows import NOTHING, StagedObject, StagedPage

_KNOWN = """
SELECT guid::text FROM provisioning_sourceobject WHERE configuration_id = %s AND guid = ANY(%s::uuid[])
"""
_ADD = """
COPY provisioning_sourceobject (
    configuration_id, guid, object_type, dn, attributes, attributes_hash, in_scope, wanted, create_only,
    reference_guids, wanted_hash, error_code, error_detail, is_dirty, members_dirty, references_dirty,
    state_changes_at, sid, primary_group_sid, is_gone, gone_reason, told_in, updated_at) FROM STDIN
"""
_IDS = """
SELECT guid::text, id FROM provisioning_sourceobject WHERE configuration_id = %s AND guid = ANY(%s::uuid[])
"""
_ADD_MEMBERS = "COPY provisioning_sourcemember (group_id, member_guid) FROM STDIN"


def add(
    cursor: Any, configuration: UUID, page: StagedPage, now: datetime, *, told_in: int | None
) -> Collection[str]:
    """Add the objects of a page that are not known yet, with their members; returns their guids.

    ``told_in`` is the full read that tells of them. None are added where somebody else adds one of them at the
    same time: they are to be merged.
    """
    objects = {one.guid: one for one in page.objects}
    cursor.execute(_KNOWN, [configuration, list(objects)])
    for (guid,) in cursor.fetchall():
        objects.pop(guid, None)
    members = {guid: page.added_members[guid] for guid in objects if guid in page.added_members}
    if not objects:
        return ()
    try:
        with transaction.atomic():
            _add_objects(cursor, configuration, objects.values(), members, now, told_in)
    # COPY's end is the driver's own affair: Django does not translate what it raises.
    except psycopg.IntegrityError:
        return ()
    if members:
        _add_members(cursor, configuration, members)
    return objects.keys()


def _add_objects(
    cursor: Any,
    configuration: UUID,
    objects: Iterable[StagedObject],
    holding: Collection[str],
    now: datetime,
    told_in: int | None,
) -> None:
    before = str(configuration).encode()
    after = b"\t".join(
        (
            copy_text.FALSE,
            b"",
            copy_text.NULL if told_in is None else str(told_in).encode(),
            copy_text.text(now.isoformat()),
        )
    )
    with cursor.copy(_ADD) as copy:
        copy.write(b"".join(_line(one, before, after, has_members=one.guid in holding) for one in objects))


def _line(one: StagedObject, before: bytes, after: bytes, *, has_members: bool) -> bytes:
    fields = (
        before,
        one.guid.encode(),
        str(one.object_type).encode(),
        copy_text.text(one.dn),
        copy_text.escape(one.attributes),
        copy_text.hexadecimal(one.attributes_hash),
        copy_text.flag(one.in_scope),
        copy_text.escape(one.wanted),
        copy_text.escape(one.create_only),
        copy_text.escape(one.reference_guids),
        copy_text.hexadecimal(one.wanted_hash),
        copy_text.text(one.error_code),
        copy_text.text(one.error_detail),
        copy_text.flag(True),
        copy_text.flag(has_members),
        copy_text.flag(one.reference_guids != NOTHING),
        copy_text.text(one.state_changes_at.isoformat() if one.state_changes_at else None),
        copy_text.text(one.sid),
        copy_text.text(one.primary_group_sid),
        after,
    )
    return b"\t".join(fields) + b"\n"


def _add_members(cursor: Any, configuration: UUID, members: Mapping[str, Collection[str]]) -> None:
    cursor.execute(_IDS, [configuration, list(members)])
    # Sorted, and each once: as the primary key has them.
    groups = sorted((int(group), guid) for guid, group in cursor.fetchall())
    with cursor.copy(_ADD_MEMBERS) as copy:
        for group, guid in groups:
            copy.write(copy_text.pairs(str(group), sorted(set(members[guid]))))

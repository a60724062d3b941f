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
from provisioning.store.copy_binary import (
    FALSE,
    bigint,
    flag,
    jsonb,
    moment,
    raw,
    rows,
    smallint,
    start,
    text,
    uuid,
)
from provisioning.store.rows import NOTHING, StagedObject, StagedPage

_COLUMNS = (
    "configuration_id, is_gone, gone_reason, told_in, updated_at, is_dirty, members_dirty, references_dirty",
    "guid, object_type, dn, attributes, attributes_hash, in_scope, wanted, create_only, reference_guids",
    "wanted_hash, error_code, error_detail, state_changes_at, sid, primary_group_sid",
)
_ADD = f"COPY provisioning_sourceobject ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)"
_START = start(len(", ".join(_COLUMNS).split(",")))
_STORED = """
SELECT guid::text, id FROM provisioning_sourceobject WHERE configuration_id = %s AND guid = ANY(%s::uuid[])
"""
_ADD_MEMBERS = "COPY provisioning_sourcemember (group_id, member_guid) FROM STDIN"


def encode(page: StagedPage) -> None:
    """Make ahead what :func:`add` sends of each object: worth it where nearly all of them are new."""
    page.encoded = {one.guid: _encoded(one) for one in page.objects}


def add(
    cursor: Any, configuration: UUID, page: StagedPage, now: datetime, *, told_in: int | None, marks: bool
) -> Collection[str]:
    """Add the objects of a page that are not known yet, with their members; returns their guids.

    ``told_in`` is the full read that tells of them. With ``marks`` they are marked for the plan, groups for that of
    members too; those whose mapping failed are in any case. None are added where somebody else adds one of them at the
    same time: they are to be merged.
    """
    if not page.objects:
        return ()
    objects = {one.guid: one for one in page.objects}
    for guid in _ids(cursor, configuration, objects):
        objects.pop(guid, None)
    members = {guid: page.added_members[guid] for guid in objects if guid in page.added_members}
    if not objects:
        return ()
    shared = b"".join((raw(configuration.bytes), FALSE, text(""), bigint(told_in), moment(now)))
    try:
        with transaction.atomic(), cursor.copy(_ADD) as copy:
            copy.write(rows(_row(one, page, shared, marks=marks) for one in objects.values()))
    # COPY's end is the driver's own affair: Django does not translate what it raises.
    except psycopg.IntegrityError:
        return ()
    if members:
        _add_members(cursor, configuration, members)
    return objects.keys()


def _ids(cursor: Any, configuration: UUID, guids: Iterable[str]) -> dict[str, int]:
    """The ids of those that are stored. One text: the driver would quote each of a thousand by itself."""
    cursor.execute(_STORED, [configuration, f"{{{','.join(guids)}}}"])
    return dict(cursor.fetchall())


def _row(one: StagedObject, page: StagedPage, shared: bytes, *, marks: bool) -> bytes:
    return b"".join(
        (
            _START,
            shared,
            flag(one.error_code != "" or (marks and one.in_scope)),
            flag(marks and one.guid in page.added_members),
            flag(marks and one.reference_guids != NOTHING),
            page.encoded.get(one.guid) or _encoded(one),
        )
    )


def _encoded(one: StagedObject) -> bytes:
    """The fields that are the object's own."""
    return b"".join(
        (
            uuid(one.guid),
            smallint(one.object_type),
            text(one.dn),
            jsonb(one.attributes),
            raw(one.attributes_hash),
            flag(one.in_scope),
            jsonb(one.wanted),
            jsonb(one.create_only),
            jsonb(one.reference_guids),
            raw(one.wanted_hash),
            text(one.error_code),
            text(one.error_detail),
            moment(one.state_changes_at),
            text(one.sid),
            text(one.primary_group_sid),
        )
    )


def _add_members(cursor: Any, configuration: UUID, members: Mapping[str, Collection[str]]) -> None:
    # Sorted, and each once: as the primary key has them.
    groups = sorted((group, guid) for guid, group in _ids(cursor, configuration, members).items())
    with cursor.copy(_ADD_MEMBERS) as copy:
        copy.write(
            "".join([copy_text.pairs(str(group), sorted(set(members[guid]))) for group, guid in groups])
        )

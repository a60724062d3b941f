"""Objects that are told of for the first time, and their members: COPY straight into the tables.

Nearly all of a first read. It takes half of what staging and merging do, and every page after it finds them known.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import psycopg
from django.db import transaction

from provisioning.store.copy_binary import FALSE, arrays, bigint, flag, moment, raw, rows, start, text
from provisioning.store.encoding import COLUMNS
from provisioning.store.member_sets import SET_SIZE
from provisioning.store.rows import EncodedObject, EncodedPage

_COLUMNS = (
    *("configuration_id", "is_gone", "gone_reason", "told_in", "updated_at"),
    *("is_dirty", "members_dirty", "references_dirty"),
    *COLUMNS,
)
_ADD = f"COPY provisioning_sourceobject ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)"
_START = start(len(_COLUMNS))
_STORED = """
SELECT guid::text, id FROM provisioning_sourceobject WHERE configuration_id = %s AND guid = ANY(%s::uuid[])
"""
_ADD_MEMBERS = "COPY provisioning_sourcememberset (group_id, members) FROM STDIN (FORMAT binary)"
_START_MEMBERS = start(2)


def add(
    cursor: Any,
    configuration: UUID,
    page: EncodedPage,
    now: datetime,
    *,
    told_in: int | None,
    marks: bool,
    presumed: bool = False,
) -> Collection[str]:
    """Add the objects of a page that are not known yet, with their members; returns their guids.

    ``told_in`` is the full read that tells of them. With ``marks`` they are marked for the plan, groups for that of
    members too; those whose mapping failed are in any case. Where all are ``presumed`` new, none is looked up before
    one turns out not to be. None are added where somebody else adds one of them at the same time: they are to be
    merged.
    """
    if not page.objects:
        return ()
    shared = b"".join((_START, raw(configuration.bytes), FALSE, text(""), bigint(told_in), moment(now)))
    objects = page.objects
    if not (presumed and _copy(cursor, objects, page.added_members, shared, marks=marks)):
        objects = page.objects.copy()
        for guid in _ids(cursor, configuration, objects):
            objects.pop(guid, None)
        if not objects or not _copy(cursor, objects, page.added_members, shared, marks=marks):
            return ()
    members = {guid: page.added_members[guid] for guid in objects if guid in page.added_members}
    if members:
        _add_members(cursor, configuration, members)
    return objects.keys()


def _copy(
    cursor: Any,
    objects: Mapping[str, EncodedObject],
    members: Container[str],
    shared: bytes,
    *,
    marks: bool,
) -> bool:
    """Add these; false, with nothing added, where one of them is there."""
    try:
        with transaction.atomic(), cursor.copy(_ADD) as copy:
            copy.write(rows(_pieces(objects, members if marks else (), shared, marks=marks)))
    # COPY's end is the driver's own affair: Django does not translate what it raises.
    except psycopg.IntegrityError:
        return False
    return True


def _ids(cursor: Any, configuration: UUID, guids: Iterable[str]) -> dict[str, int]:
    """The ids of those that are stored. One text: the driver would quote each of a thousand by itself."""
    cursor.execute(_STORED, [configuration, f"{{{','.join(guids)}}}"])
    return dict(cursor.fetchall())


def _pieces(
    objects: Mapping[str, EncodedObject], groups: Container[str], shared: bytes, *, marks: bool
) -> Iterator[bytes]:
    """Of each row what it shares with others, its marks among it, then what is the object's own."""
    starts = {of: shared + b"".join(map(flag, of)) for of in product((False, True), repeat=3)}
    for guid, (fields, has_failed, in_scope, has_references) in objects.items():
        is_dirty = has_failed or (marks and in_scope)
        yield starts[is_dirty, guid in groups, marks and has_references]
        yield fields


def _add_members(cursor: Any, configuration: UUID, members: Mapping[str, bytes]) -> None:
    # Sorted, as the index by group has them.
    groups = sorted((group, guid) for guid, group in _ids(cursor, configuration, members).items())
    with cursor.copy(_ADD_MEMBERS) as copy:
        copy.write(
            rows(
                _START_MEMBERS + bigint(group) + members_of_set
                for group, guid in groups
                for members_of_set in arrays(members[guid], SET_SIZE)
            )
        )

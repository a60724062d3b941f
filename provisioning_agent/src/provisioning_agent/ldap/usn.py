"""The delta without DirSync: what one controller's counter, uSNChanged, says has changed (MS-ADTS §3.1.1.1.9).

For accounts without the right to replicate. The counter belongs to one copy of the database: a number is only
good for the controller with the same invocationId, and only while its counter has not gone back (a restored
snapshot). Which values of a membership changed it does not tell, so groups come whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from . import controls, delta, filters
from .connection import DirectoryConnection, entry_of
from .domain import Controller
from .messages import Search
from .names import Reference, parse_extended
from .objects import ObjectReader
from .resources import Item
from .scope import ReadScope
from .watermark import Watermark

_PAGE = 1000


def is_valid(mark: Watermark, controller: Controller) -> bool:
    """Whether the watermark's number means something at this controller."""
    return (
        bool(controller.invocation_id)
        and mark.invocation_id == controller.invocation_id
        and 0 < mark.usn <= controller.usn
    )


def any_changed(connection: DirectoryConnection, root: str, groups: Iterable[bytes], since: int) -> bool:
    """Whether one of these groups (raw GUIDs) has changed; its members then may have come or gone."""
    later, waiting = _later_than(since), sorted(groups)
    for at in range(0, len(waiting), 100):
        these = filters.guids(uuid.UUID(bytes=raw).bytes_le for raw in waiting[at : at + 100])
        if any(_references(connection, root, filters.all_of(these, later))):
            return True
    return False


def items(
    connection: DirectoryConnection,
    readers: Iterable[ObjectReader],
    root: str,
    scope: ReadScope,
    since: int,
    *,
    sees_tombstones: bool,
) -> Iterator[Item]:
    """Resources and tombstones of everything that changed, each object once."""
    moved = list(_references(connection, root, _changed_parents(since)))
    for reader in readers:
        told: set[str] = set()
        for parent in moved:
            yield from delta.subtree(reader, parent.guid, scope, told)
        for found in reader.under(root, _later_than(since)):
            if found.reference.guid not in told:
                yield from delta.in_or_out(reader, found, scope)
        if sees_tombstones:
            for gone in _deleted(connection, reader, root, since):
                yield reader.maker.tombstone(gone.guid, delta.DELETED)


def _later_than(usn: int) -> filters.Filter:
    return filters.at_least("uSNChanged", usn + 1)


def _changed_parents(since: int) -> filters.Filter:
    # A rename can not be told from another change of a unit. One that is new was reported with what came into it;
    # the domain itself changes often and is never renamed.
    units = filters.any_of(
        filters.equals("objectClass", name) for name in ("organizationalUnit", "container")
    )
    return filters.all_of(
        units, _later_than(since), filters.negate(filters.at_least("uSNCreated", since + 1))
    )


def _deleted(
    connection: DirectoryConnection, reader: ObjectReader, root: str, since: int
) -> Iterator[Reference]:
    parts = [
        filters.equals("isDeleted", "TRUE"),
        filters.equals("objectClass", reader.name),
        _later_than(since),
    ]
    if reader.name == "user":
        parts.append(filters.negate(filters.equals("objectClass", "computer")))
    return _references(connection, root, filters.all_of(*parts), controls.show_deleted())


def _references(
    connection: DirectoryConnection, root: str, wanted: filters.Filter, *more: bytes
) -> Iterator[Reference]:
    asked = (controls.extended_dn(), controls.domain_scope(), *more)
    for frames in connection.pages(Search(root, wanted, ("1.1",), controls=asked), _PAGE):
        for frame in frames:
            yield parse_extended(entry_of(frame).name)

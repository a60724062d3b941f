"""Single objects by objectGUID, distinguished name or user principal name, wherever they are."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from provisioning_agent.wire.lookups import Lookup, LookupStatus

from . import controls, filters
from .connection import DirectoryConnection, Entry
from .messages import Scope, Search
from .names import guid_base, is_below, is_conflict, parse_extended, rdns
from .objects import ObjectReader
from .resources import Item
from .scope import ReadScope

_ASKED: Final = ("objectClass", "isDeleted", "isCriticalSystemObject")
# In the order in which an object's classes decide: an inetOrgPerson is a user, a computer is none of ours.
_TYPES: Final = ("computer", "user", "group", "contact")


def find(
    connection: DirectoryConnection, root: str, name: str, scope: ReadScope, types: Collection[str]
) -> Lookup:
    """What the name stands for. A tombstone is found by its objectGUID only."""
    entries = _entries(connection, root, name.strip())
    if not entries:
        return Lookup(name, LookupStatus.NOT_FOUND)
    if len(entries) > 1:
        return Lookup(name, LookupStatus.AMBIGUOUS)
    entry = entries[0]
    reference = parse_extended(entry.name)
    object_type = _type_of(entry)
    status = LookupStatus.DELETED if entry.text("isDeleted") == "TRUE" else LookupStatus.FOUND
    is_read = object_type in types and entry.text("isCriticalSystemObject") != "TRUE"
    if not is_read or (status is LookupStatus.FOUND and is_conflict(reference.dn)):
        status = LookupStatus.NOT_READ
    return Lookup(name, status, reference.guid, reference.dn, object_type, scope.holds(reference))


def items(lookups: Iterable[Lookup], readers: Iterable[ObjectReader]) -> Iterator[Item]:
    """The resources of what was found: whole objects, members included, and tombstones."""
    by_type = {reader.name: reader for reader in readers}
    for one in lookups:
        reader = by_type.get(one.object_type)
        if reader is None:
            continue
        if one.status is LookupStatus.DELETED:
            yield reader.maker.tombstone(one.guid, "deleted")
        elif one.status is LookupStatus.FOUND:
            for found in reader.complete([one.guid]):
                yield from reader.items(found)


def _entries(connection: DirectoryConnection, root: str, name: str) -> list[Entry]:
    guid = _guid(name)
    if guid is not None:
        extended = (controls.extended_dn(), controls.show_deleted())
        return _base(connection, guid_base(guid), extended)
    if "=" in name:
        # A name of another domain would only bring a referral.
        is_ours = is_below(rdns(name), rdns(root))
        return _base(connection, name, (controls.extended_dn(),)) if is_ours else []
    named = filters.equals("userPrincipalName", name)
    asked = (controls.extended_dn(), controls.domain_scope())
    return connection.search(Search(root, named, _ASKED, controls=asked))


def _base(connection: DirectoryConnection, base: str, asked: tuple[bytes, ...]) -> list[Entry]:
    found = connection.find(Search(base, filters.present("objectClass"), _ASKED, Scope.BASE, asked))
    return [] if found is None else [found]


def _guid(name: str) -> str | None:
    try:
        return str(uuid.UUID(name.strip("{}")))
    except ValueError:
        return None


def _type_of(entry: Entry) -> str:
    classes = {value.decode(errors="replace").lower() for value in entry.attributes.get(b"objectClass", ())}
    return next((name for name in _TYPES if name in classes), "")

"""From mapped objects to what COPY takes: all that can be made of a page before the database is asked for anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from struct import Struct
from typing import Final

from provisioning.store.copy_binary import elements, moment, text
from provisioning.store.rows import NOTHING, EncodedObject, EncodedPage, PageChanges, StagedObject, StagedPage

COLUMNS: Final = (
    *("guid", "object_type", "dn", "attributes", "attributes_hash", "in_scope", "wanted", "create_only"),
    *("reference_guids", "has_nulls", "wanted_hash", "error_code", "error_detail", "state_changes_at", "sid"),
    *("primary_group_sid", "user_principal_name"),
)
"""What the bytes of an ``EncodedObject`` hold."""
# As JSON has an attribute that is null. A text that holds the same is only taken for one.
_NULL: Final = b'":null'
# Several fields at a time, each a length and its bytes; the last is a length alone, or that and the version of jsonb.
_UNTIL_DN: Final = Struct("!i16sihi").pack
_UNTIL_ATTRIBUTES: Final = Struct("!i").pack
_UNTIL_WANTED: Final = Struct("!i16si?iB").pack
_DOCUMENT: Final = Struct("!iB").pack
_UNTIL_ERROR: Final = Struct("!i?i16s").pack
_JSONB_VERSION: Final = 1


def encoded(page: StagedPage) -> EncodedPage:
    """The page as the database takes it."""
    changes = {one.name: getattr(page, one.name) for one in fields(PageChanges)}
    objects = {one.guid: _encoded(one) for one in page.objects}
    return EncodedPage(
        **changes,
        objects=objects,
        added_members=_members(page.added_members),
        removed_members=_members(page.removed_members),
        resources=page.resources,
    )


def _members(told: Mapping[str, Sequence[str]]) -> dict[str, bytes]:
    return {group: elements(sorted(set(guids))) for group, guids in told.items()}


def _encoded(one: StagedObject) -> EncodedObject:
    """A row in few pieces: one for each field takes longer."""
    wanted, create_only, references, dn = one.wanted, one.create_only, one.reference_guids, one.dn.encode()
    own = (
        _UNTIL_DN(16, bytes.fromhex(one.guid.replace("-", "")), 2, one.object_type, len(dn)),
        dn,
        _UNTIL_ATTRIBUTES(len(one.attributes)),
        one.attributes,
        _UNTIL_WANTED(16, one.attributes_hash, 1, one.in_scope, len(wanted) + 1, _JSONB_VERSION),
        wanted,
        _DOCUMENT(len(create_only) + 1, _JSONB_VERSION),
        create_only,
        _DOCUMENT(len(references) + 1, _JSONB_VERSION),
        references,
        _UNTIL_ERROR(1, _NULL in wanted or _NULL in create_only, 16, one.wanted_hash),
        text(one.error_code),
        text(one.error_detail),
        moment(one.state_changes_at),
        text(one.sid),
        text(one.primary_group_sid),
        text(one.user_principal_name),
    )
    return b"".join(own), one.error_code != "", one.in_scope, references != NOTHING

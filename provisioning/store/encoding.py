"""From mapped objects to what COPY takes: all that can be made of a page before the database is asked for anything."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from provisioning.store.copy_binary import flag, jsonb, moment, raw, smallint, text, uuid
from provisioning.store.rows import NOTHING, EncodedObject, EncodedPage, PageChanges, StagedObject, StagedPage

COLUMNS: Final = (
    *("guid", "object_type", "dn", "attributes", "attributes_hash", "in_scope", "wanted", "create_only"),
    *("reference_guids", "has_nulls", "wanted_hash", "error_code", "error_detail", "state_changes_at", "sid"),
    "primary_group_sid",
)
"""What the bytes of an ``EncodedObject`` hold."""
# As JSON has an attribute that is null. A text that holds the same is only taken for one.
_NULL: Final = b'":null'


def encoded(page: StagedPage) -> EncodedPage:
    """The page as the database takes it."""
    changes = {one.name: getattr(page, one.name) for one in fields(PageChanges)}
    objects = {one.guid: _encoded(one) for one in page.objects}
    added = {group: "\n".join(sorted(set(guids))) for group, guids in page.added_members.items()}
    return EncodedPage(**changes, objects=objects, added_members=added, resources=page.resources)


def _encoded(one: StagedObject) -> EncodedObject:
    own = (
        uuid(one.guid),
        smallint(one.object_type),
        text(one.dn),
        raw(one.attributes),
        raw(one.attributes_hash),
        flag(one.in_scope),
        jsonb(one.wanted),
        jsonb(one.create_only),
        jsonb(one.reference_guids),
        flag(_NULL in one.wanted or _NULL in one.create_only),
        raw(one.wanted_hash),
        text(one.error_code),
        text(one.error_detail),
        moment(one.state_changes_at),
        text(one.sid),
        text(one.primary_group_sid),
    )
    return b"".join(own), one.error_code != "", one.in_scope, one.reference_guids != NOTHING

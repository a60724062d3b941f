"""Hand-written shape checks of an answer page: cheap for 1000 resources, exact about where it is wrong."""

from __future__ import annotations

import re
from typing import Any, Final

from .errors import WireError
from .limits import MAX_DEPTH, MAX_PAGE_RESOURCES
from .lookups import MAX_OBJECTS, is_lookup
from .requests import GUID_PATTERN, OBJECT_TYPES

LIST_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
PAGE_SCHEMA: Final = "urn:isthmus:scim:api:messages:1.0:ReadPage"
AD_SCHEMA: Final = "urn:isthmus:scim:schemas:ad:1.0"

# Besides the object types: what a scope can be chosen from.
CONTAINER: Final = "container"
RESOURCE_TYPES: Final = (*OBJECT_TYPES, CONTAINER)
# The mode of an answer about single objects; it brings no watermark.
OBJECTS: Final = "objects"
MODES: Final = ("initial", "delta", OBJECTS)
# The note of an answer that names every object in scope: what it does not name is gone.
DELETIONS_COMPARED: Final = "DeletionsCompared"
TOMBSTONES: Final = ("deleted", "outOfScope")
# MS-DTYP §2.4.2.1: at most 15 sub-authorities.
_SID: Final = re.compile(r"S-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}\Z")
# Depth already used up where an attribute value starts: page, Resources, resource, attributes.
_VALUE_DEPTH: Final = 4


def check_page(page: dict[str, Any]) -> None:
    """Raise ``MalformedPage`` naming the place unless ``page`` is a well-formed answer page."""
    schemas = page.get("schemas")
    if not isinstance(schemas, list) or LIST_SCHEMA not in schemas or PAGE_SCHEMA not in schemas:
        raise _wrong("schemas", "does not name a ListResponse with our ReadPage")
    resources = page.get("Resources")
    if not isinstance(resources, list) or len(resources) > MAX_PAGE_RESOURCES:
        raise _wrong("Resources", f"is not a list of at most {MAX_PAGE_RESOURCES}")
    if page.get("itemsPerPage") != len(resources):
        raise _wrong("itemsPerPage", "is not the number of Resources")
    _check_extension(page)
    for index, resource in enumerate(resources):
        _check_resource(resource, index)


def _wrong(where: str, what: str) -> WireError:
    return WireError(
        "MalformedPage", f"{where} {what}; update the agent so that both ends speak the same version."
    )


def _check_extension(page: dict[str, Any]) -> None:
    extension = page.get(PAGE_SCHEMA)
    if not isinstance(extension, dict):
        raise _wrong(PAGE_SCHEMA, "is missing")
    if extension.get("mode") not in MODES:
        raise _wrong("mode", f"is none of {', '.join(MODES)}")
    if type(extension.get("complete")) is not bool:
        raise _wrong("complete", "is not a boolean")
    _check_ending(page, extension)
    _check_numbers(extension.get("counts"))
    _check_texts(extension)
    _check_scope(extension.get("scope", []))
    _check_lookups(extension)


def _check_lookups(extension: dict[str, Any]) -> None:
    if extension["mode"] != OBJECTS:
        return
    lookups = extension.get("lookups")
    if not isinstance(lookups, list) or len(lookups) > MAX_OBJECTS or not all(map(is_lookup, lookups)):
        raise _wrong("lookups", "does not say what became of each object that was asked for")


def _check_ending(page: dict[str, Any], extension: dict[str, Any]) -> None:
    cursor, watermark = page.get("nextCursor"), extension.get("watermark")
    if cursor is not None and (not isinstance(cursor, str) or not cursor.isascii() or not cursor.isdigit()):
        raise _wrong("nextCursor", "is not a page number")
    is_marked = isinstance(watermark, str) and bool(watermark)
    if extension["complete"] and (cursor is not None or is_marked == (extension["mode"] == OBJECTS)):
        raise _wrong(
            "complete", "is true on a page that is not the last, or whose watermark is missing or too much"
        )
    if watermark is not None and cursor is not None:
        raise _wrong("watermark", "is present on a page that is not the last")


def _check_numbers(counts: object) -> None:
    if not isinstance(counts, dict) or not all(type(n) is int and n >= 0 for n in counts.values()):
        raise _wrong("counts", "is not an object of numbers")


def _check_texts(extension: dict[str, Any]) -> None:
    replica, notes = extension.get("replica"), extension.get("notes")
    if not isinstance(replica, dict) or not all(isinstance(text, str) for text in replica.values()):
        raise _wrong("replica", "is not an object of texts")
    if not isinstance(notes, list) or len(notes) > 100 or not all(isinstance(text, str) for text in notes):
        raise _wrong("notes", "is not a list of texts")


def _check_scope(scope: object) -> None:
    if not isinstance(scope, list) or not all(map(_is_name, scope)):
        raise _wrong("scope", "is not a list of objectGUIDs with their distinguished names")


def _is_name(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    guid, dn = item.get("id"), item.get("distinguishedName")
    return isinstance(guid, str) and bool(GUID_PATTERN.match(guid)) and isinstance(dn, str)


def _check_resource(resource: object, index: int) -> None:
    where = f"Resources[{index}]"
    if not isinstance(resource, dict):
        raise _wrong(where, "is not an object")
    guid = resource.get("id")
    if not isinstance(guid, str) or not GUID_PATTERN.match(guid):
        raise _wrong(f"{where}.id", "is not a lower-case hyphenated GUID")
    meta = resource.get("meta")
    if not isinstance(meta, dict) or meta.get("resourceType") not in RESOURCE_TYPES:
        raise _wrong(f"{where}.meta.resourceType", f"is none of {', '.join(RESOURCE_TYPES)}")
    tombstone = meta.get("tombstone")
    if tombstone is not None:
        if tombstone not in TOMBSTONES:
            raise _wrong(f"{where}.meta.tombstone", "is neither deleted nor outOfScope")
        return
    if type(meta.get("present", False)) is not bool:
        raise _wrong(f"{where}.meta.present", "is not a boolean")
    if meta.get("present"):
        if AD_SCHEMA in resource or "members" in resource:
            raise _wrong(where, "is only named and has content")
        return
    _check_content(resource, meta, where)


def _check_content(resource: dict[str, Any], meta: dict[str, Any], where: str) -> None:
    attributes, members = resource.get(AD_SCHEMA), resource.get("members")
    if type(meta.get("continues", False)) is not bool:
        raise _wrong(f"{where}.meta.continues", "is not a boolean")
    if meta.get("continues"):
        if members is None or attributes is not None:
            raise _wrong(where, "continues a group without members or with attributes")
    elif not isinstance(attributes, dict):
        raise _wrong(f"{where}.{AD_SCHEMA}", "is not an object")
    if members is not None:
        _check_members(members, meta, f"{where}.members")
    for name, value in (attributes or {}).items():
        kind = type(value)
        if kind is dict or kind is list:
            _check_value(value, f"{where}.{name}", _VALUE_DEPTH)


def _check_members(members: object, meta: dict[str, Any], where: str) -> None:
    if meta["resourceType"] != "group":
        raise _wrong(where, "is present on something that is not a group")
    if not isinstance(members, dict) or type(members.get("whole")) is not bool:
        raise _wrong(f"{where}.whole", "is not a boolean")
    for side in ("added", "removed"):
        guids = members.get(side)
        if not isinstance(guids, list):
            raise _wrong(f"{where}.{side}", "is not a list")
        for guid in guids:
            if type(guid) is not str or not GUID_PATTERN.match(guid):
                raise _wrong(f"{where}.{side}", "holds something that is not a lower-case hyphenated GUID")

    _check_foreign(members, where)


def _check_foreign(members: dict[str, Any], where: str) -> None:
    foreign = members.get("foreign", {})
    if not isinstance(foreign, dict) or len(foreign) > len(members["added"]):
        raise _wrong(f"{where}.foreign", "is not an object of some of those who were added")
    for guid, sid in foreign.items():
        if not GUID_PATTERN.match(guid) or type(sid) is not str or not _SID.match(sid):
            raise _wrong(f"{where}.foreign", "holds something that is not a GUID with a SID")


def _check_value(value: object, where: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _wrong(where, f"is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        for item in value.values():
            _check_value(item, where, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_value(item, where, depth + 1)

"""Hand-written shape checks of an answer page: cheap for 1000 resources, exact about where it is wrong."""

from __future__ import annotations

import re
from typing import Any, Final

from .errors import WireError
from .guids import are_guids
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
_CONTAINERS: Final = frozenset((list, dict))
_SCALARS: Final = frozenset((str, int, float, bool, type(None)))
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
        try:
            _check_resource(resource)
        except _Misfit as misfit:
            raise _wrong(f"Resources[{index}]{misfit.where}", misfit.what) from None
    _check_ids(resources)


class _Misfit(Exception):
    """Something is wrong with a resource: ``where`` inside it, and ``what``."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(where, what)
        self.where, self.what = where, what


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


def _check_resource(resource: object) -> None:
    if not isinstance(resource, dict):
        raise _Misfit("", "is not an object")
    meta = resource.get("meta")
    if not isinstance(meta, dict) or meta.get("resourceType") not in RESOURCE_TYPES:
        raise _Misfit(".meta.resourceType", f"is none of {', '.join(RESOURCE_TYPES)}")
    tombstone = meta.get("tombstone")
    if tombstone is not None:
        if tombstone not in TOMBSTONES:
            raise _Misfit(".meta.tombstone", "is neither deleted nor outOfScope")
        return
    present = meta.get("present", False)
    if type(present) is not bool:
        raise _Misfit(".meta.present", "is not a boolean")
    if not present:
        _check_content(resource, meta)
    elif AD_SCHEMA in resource or "members" in resource:
        raise _Misfit("", "is only named and has content")


def _check_ids(resources: list[dict[str, Any]]) -> None:
    if are_guids([resource.get("id") for resource in resources]):
        return
    index = next(at for at, resource in enumerate(resources) if not are_guids([resource.get("id")]))
    raise _wrong(f"Resources[{index}].id", "is not a lower-case hyphenated GUID")


def _check_content(resource: dict[str, Any], meta: dict[str, Any]) -> None:
    attributes, members = resource.get(AD_SCHEMA), resource.get("members")
    continues = meta.get("continues", False)
    if type(continues) is not bool:
        raise _Misfit(".meta.continues", "is not a boolean")
    if continues:
        if members is None or attributes is not None:
            raise _Misfit("", "continues a group without members or with attributes")
    elif not isinstance(attributes, dict):
        raise _Misfit(f".{AD_SCHEMA}", "is not an object")
    if members is not None:
        _check_members(members, meta)
    if attributes:
        _check_depth(attributes)


def _check_members(members: object, meta: dict[str, Any]) -> None:
    if meta["resourceType"] != "group":
        raise _Misfit(".members", "is present on something that is not a group")
    if not isinstance(members, dict) or type(members.get("whole")) is not bool:
        raise _Misfit(".members.whole", "is not a boolean")
    for side in ("added", "removed"):
        guids = members.get(side)
        if not isinstance(guids, list):
            raise _Misfit(f".members.{side}", "is not a list")
        if guids and not are_guids(guids):
            raise _Misfit(f".members.{side}", "holds something that is not a lower-case hyphenated GUID")
    if "foreign" in members:
        _check_foreign(members)


def _check_foreign(members: dict[str, Any]) -> None:
    foreign = members["foreign"]
    if not isinstance(foreign, dict) or len(foreign) > len(members["added"]):
        raise _Misfit(".members.foreign", "is not an object of some of those who were added")
    if not are_guids(foreign) or not all(type(sid) is str and _SID.match(sid) for sid in foreign.values()):
        raise _Misfit(".members.foreign", "holds something that is not a GUID with a SID")


def _check_depth(attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if type(value) in _CONTAINERS:
            # Nearly all are lists of texts, or references: one look at all parts is enough for them.
            parts = value if type(value) is list else value.values()
            if not _SCALARS.issuperset(map(type, parts)) and _is_deep(value, _VALUE_DEPTH):
                raise _Misfit(f".{name}", f"is nested deeper than {MAX_DEPTH} levels")


def _is_deep(value: object, depth: int) -> bool:
    if depth > MAX_DEPTH:
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_is_deep(part, depth + 1) for part in parts)

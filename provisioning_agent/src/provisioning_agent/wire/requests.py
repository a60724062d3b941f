"""The read request: a SCIM SearchRequest on the root (RFC 7644 §3.4.3) with our extension."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from .errors import WireError
from .limits import MAX_PAGE_RESOURCES, MAX_REQUEST_BYTES
from .lookups import MAX_OBJECTS, is_name

SEARCH_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
READ_SCHEMA: Final = "urn:isthmus:scim:api:messages:1.0:ReadRequest"

OBJECT_TYPES: Final = ("user", "group", "contact")
GUID_PATTERN: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
# Display names of LDAP attributes: RFC 4512 §1.4 keystring.
_ATTRIBUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,254}\Z")
_MAX_ATTRIBUTES: Final = 500


@dataclass(frozen=True, slots=True)
class ObjectTypeRequest:
    """One object type to read and the AD attribute names wanted of it."""

    name: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What an agent is asked to read; ``watermark`` None means an initial read, ``deadline`` is aware UTC.

    ``objects`` names single objects by objectGUID, DN or UPN: then just these are read, wherever they are.
    ``lists_containers`` asks for the domain's organisational units and containers besides. ``is_covered`` says
    that the watermark answers this question, or one that asks for more and of which the rest is dealt with.
    """

    domain: str
    object_types: tuple[ObjectTypeRequest, ...]
    correlation_id: str
    deadline: datetime
    containers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    watermark: str | None = field(default=None, repr=False)
    page_size: int = MAX_PAGE_RESOURCES
    objects: tuple[str, ...] = ()
    lists_containers: bool = False
    is_covered: bool = False

    def to_json(self) -> bytes:
        """The request as UTF-8 JSON."""
        return orjson.dumps(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The request as the SCIM SearchRequest object."""
        names = sorted({name for wanted in self.object_types for name in wanted.attributes})
        return {
            "schemas": [SEARCH_SCHEMA, READ_SCHEMA],
            "attributes": names,
            "count": self.page_size,
            "cursor": "",
            READ_SCHEMA: {
                "domain": self.domain,
                "objectTypes": [
                    {"name": t.name, "attributes": list(t.attributes)} for t in self.object_types
                ],
                "containers": list(self.containers),
                "groups": list(self.groups),
                "watermark": self.watermark,
                "correlationId": self.correlation_id,
                "deadline": _iso(self.deadline),
                **({"objects": list(self.objects)} if self.objects else {}),
                **({"listsContainers": True} if self.lists_containers else {}),
                **({"isCovered": True} if self.is_covered else {}),
            },
        }

    @classmethod
    def from_json(cls, body: bytes) -> ReadRequest:
        """Parse JSON bytes; raises ``MalformedRequest`` naming the field that is wrong."""
        if len(body) > MAX_REQUEST_BYTES:
            raise _malformed("it is larger than 4 MiB")
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise _malformed("it is not JSON") from error
        return cls.from_dict(value)

    @classmethod
    def from_dict(cls, value: object) -> ReadRequest:
        """Parse an already decoded SearchRequest object."""
        body = _object(value, "the body")
        if READ_SCHEMA not in _list(body.get("schemas"), "schemas"):
            raise _malformed(f"schemas lacks {READ_SCHEMA}")
        extension = _object(body.get(READ_SCHEMA), READ_SCHEMA)
        return cls(
            domain=_string(extension.get("domain"), "domain"),
            object_types=_object_types(extension.get("objectTypes")),
            correlation_id=_string(extension.get("correlationId"), "correlationId"),
            deadline=_deadline(extension.get("deadline")),
            containers=_guids(extension.get("containers"), "containers"),
            groups=_guids(extension.get("groups"), "groups"),
            watermark=_watermark(extension.get("watermark")),
            page_size=_page_size(body.get("count")),
            objects=_objects(extension.get("objects", [])),
            lists_containers=_flag(extension, "listsContainers"),
            is_covered=_flag(extension, "isCovered"),
        )


def _malformed(what: str) -> WireError:
    return WireError("MalformedRequest", f"The read request can not be used: {what}; check both versions.")


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(f"{where} is not an object")
    return value


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise _malformed(f"{where} is not a list")
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str) or not value or len(value) > 255:
        raise _malformed(f"{where} is not a text of 1 to 255 characters")
    return value


def _watermark(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise _malformed("watermark is neither null nor a text")
    return value


def _flag(extension: dict[str, Any], name: str) -> bool:
    value = extension.get(name, False)
    if type(value) is not bool:
        raise _malformed(f"{name} is not a boolean")
    return value


def _page_size(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_PAGE_RESOURCES:
        raise _malformed(f"count is not a number from 1 to {MAX_PAGE_RESOURCES}")
    return value


def _objects(value: object) -> tuple[str, ...]:
    names = _list(value, "objects")
    if len(names) > MAX_OBJECTS or not all(is_name(name) for name in names):
        raise _malformed(f"objects is not a list of at most {MAX_OBJECTS} names")
    return tuple(names)


def _guids(value: object, where: str) -> tuple[str, ...]:
    found = _list(value, where)
    for item in found:
        if not isinstance(item, str) or not GUID_PATTERN.match(item):
            raise _malformed(f"{where} holds something that is not a lower-case hyphenated GUID")
    return tuple(found)


def _object_types(value: object) -> tuple[ObjectTypeRequest, ...]:
    wanted = tuple(_object_type(item) for item in _list(value, "objectTypes"))
    if not wanted or len({item.name for item in wanted}) != len(wanted):
        raise _malformed("objectTypes is empty or names a type twice")
    return wanted


def _object_type(value: object) -> ObjectTypeRequest:
    item = _object(value, "an entry of objectTypes")
    name = _string(item.get("name"), "objectTypes.name")
    if name not in OBJECT_TYPES:
        raise _malformed(f"objectTypes.name is none of {', '.join(OBJECT_TYPES)}")
    names = _list(item.get("attributes"), "objectTypes.attributes")
    if len(names) > _MAX_ATTRIBUTES or not all(isinstance(n, str) and _ATTRIBUTE.match(n) for n in names):
        raise _malformed("objectTypes.attributes holds something that is not an attribute name")
    return ObjectTypeRequest(name, tuple(names))


def _deadline(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(_string(value, "deadline"))
    except ValueError as error:
        raise _malformed("deadline is not an ISO-8601 time") from error
    if moment.tzinfo is None:
        raise _malformed("deadline has no time zone")
    return moment.astimezone(UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Answer pages: SCIM ListResponse with cursors (RFC 7644 §3.4.2, RFC 9865) as gzip'd JSON of bounded size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import orjson
from isal import igzip, isal_zlib

from .errors import WireError
from .limits import MAX_INFLATION_RATIO, MAX_PAGE_COMPRESSED, MAX_PAGE_INFLATED
from .lookups import Lookup
from .shape import AD_SCHEMA, LIST_SCHEMA, PAGE_SCHEMA, check_page

__all__ = [
    "AD_SCHEMA",
    "LIST_SCHEMA",
    "PAGE_SCHEMA",
    "RESOURCE_SCHEMAS",
    "Page",
    "check_page",
    "decode_page",
    "encode_page",
    "inflate",
    "parse_page",
]

# One shared list: orjson writes it for each resource without us building it again.
RESOURCE_SCHEMAS: Final = [AD_SCHEMA]

# Of ISA-L, which packs at this level five times faster than zlib at its own 1 and a little smaller, and inflates in
# less than half the time.
_GZIP_LEVEL: Final = 1
# The library's type hints have an instance in its place.
_NotGzip: Final = cast(type[Exception], isal_zlib.error)
_CHUNK: Final = 1024 * 1024
# A page this small may shrink by any ratio: the ratio guards memory, and there is none to guard.
_RATIO_FREE: Final = 1024 * 1024


@dataclass(slots=True)
class Page:
    """One page of an answer; ``next_cursor`` None and ``watermark`` set only on the last one.

    ``scope`` says where the containers and groups of the question are now: objectGUID and DN of each.
    """

    resources: Sequence[Mapping[str, Any]]
    mode: str
    next_cursor: str | None = None
    complete: bool = False
    watermark: str | None = field(default=None, repr=False)
    replica: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    notes: Sequence[str] = ()
    lookups: Sequence[Lookup] = ()
    scope: Sequence[tuple[str, str]] = ()

    def to_dict(self) -> dict[str, Any]:
        """The page as the SCIM ListResponse object."""
        extension: dict[str, Any] = {
            "mode": self.mode,
            "complete": self.complete,
            "replica": self.replica,
            "counts": self.counts,
            "notes": list(self.notes),
        }
        if self.scope:
            extension["scope"] = [{"id": guid, "distinguishedName": dn} for guid, dn in self.scope]
        if self.lookups:
            extension["lookups"] = [one.to_dict() for one in self.lookups]
        if self.watermark is not None:
            extension["watermark"] = self.watermark
        body: dict[str, Any] = {
            "schemas": [LIST_SCHEMA, PAGE_SCHEMA],
            "itemsPerPage": len(self.resources),
            "Resources": self.resources,
            PAGE_SCHEMA: extension,
        }
        if self.next_cursor is not None:
            body["nextCursor"] = self.next_cursor
        return body


def encode_page(page: Page) -> bytes:
    """Gzip'd JSON of the page; ``OversizedPage`` where the service would refuse it."""
    raw = orjson.dumps(page.to_dict())
    packed = igzip.compress(raw, compresslevel=_GZIP_LEVEL, mtime=0)
    if len(raw) > MAX_PAGE_INFLATED or len(packed) > MAX_PAGE_COMPRESSED:
        raise WireError("OversizedPage")
    return packed


def inflate(
    body: bytes,
    *,
    max_compressed: int = MAX_PAGE_COMPRESSED,
    max_inflated: int = MAX_PAGE_INFLATED,
    max_ratio: int = MAX_INFLATION_RATIO,
) -> bytes:
    """Gunzip ``body`` without ever holding more than the limits allow; sizes in bytes."""
    if len(body) > max_compressed:
        raise WireError("OversizedPage", _oversized(f"{len(body)} bytes compressed, limit {max_compressed}"))
    ceiling = min(max_inflated, max(len(body) * max_ratio, _RATIO_FREE))
    try:
        return _gunzip(body, ceiling)
    except _NotGzip as error:
        raise WireError("MalformedPage", "The page is not valid gzip; send it again.") from error


def _gunzip(body: bytes, ceiling: int) -> bytes:
    # wbits 31: gzip framing only.
    stream = isal_zlib.decompressobj(wbits=31)
    parts: list[bytes] = []
    total, rest = 0, body
    while not stream.eof:
        part = stream.decompress(rest, _CHUNK)
        total += len(part)
        if total > ceiling:
            raise WireError("OversizedPage", _oversized(f"more than {ceiling} bytes inflated"))
        parts.append(part)
        rest = stream.unconsumed_tail
        if not part and not rest and not stream.eof:
            raise WireError("MalformedPage", "The page ends in the middle; send it again.")
    if stream.unused_data:
        raise WireError("MalformedPage", "The page has bytes after its end; send it again.")
    return b"".join(parts)


def _oversized(what: str) -> str:
    return f"The page is too large ({what}); lower the page size or exclude very large attributes."


def decode_page(body: bytes) -> dict[str, Any]:
    """Inflate, parse and check one posted page."""
    from_wire = parse_page(inflate(body))
    check_page(from_wire)
    return from_wire


def parse_page(raw: bytes) -> dict[str, Any]:
    """JSON bytes to an object, unchecked but for being one."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise WireError("MalformedPage", "The page is not JSON; update the agent.") from error
    if not isinstance(value, dict):
        raise WireError("MalformedPage", "The page is not a JSON object; update the agent.")
    return value

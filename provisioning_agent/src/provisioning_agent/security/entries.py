"""Access control entries (MS-DTYP §2.4.4): who is allowed or denied what, on which kind of object."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import Final

from . import sids
from .sids import MalformedError

ALLOW: Final = 0x00
DENY: Final = 0x01
ALLOW_OBJECT: Final = 0x05
DENY_OBJECT: Final = 0x06
_PLAIN: Final = frozenset({ALLOW, DENY})
_OBJECT: Final = frozenset({ALLOW_OBJECT, DENY_OBJECT})

# AceFlags, MS-DTYP §2.4.4.1
CONTAINER_INHERIT: Final = 0x02
INHERIT_ONLY: Final = 0x08
INHERITED: Final = 0x10

_HAS_TYPE: Final = 0x01
_HAS_INHERITED_TYPE: Final = 0x02
_HEADER: Final = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """An allowing or denying entry; ``kind`` of the object form exactly where a GUID is given."""

    kind: int
    flags: int
    mask: int
    sid: bytes
    object_type: uuid.UUID | None = None
    inherited_type: uuid.UUID | None = None

    @property
    def allows(self) -> bool:
        """Whether it allows; else it denies."""
        return self.kind in (ALLOW, ALLOW_OBJECT)

    def encode(self) -> bytes:
        """The entry on the wire, its length a multiple of four."""
        body = self.mask.to_bytes(4, "little") + self._types() + self.sid
        return struct.pack("<BBH", self.kind, self.flags, _HEADER + len(body)) + body

    def covers(self, other: Entry) -> bool:
        """Whether this entry gives at least what ``other`` would, to the same SID and the same objects."""
        same_reach = (self.flags, self.inherited_type) == (other.flags, other.inherited_type)
        wide_enough = self.mask & other.mask == other.mask and self.object_type in (None, other.object_type)
        return self.allows and other.allows and self.sid == other.sid and same_reach and wide_enough

    def _types(self) -> bytes:
        if self.kind not in _OBJECT:
            return b""
        present = (_HAS_TYPE if self.object_type else 0) | (_HAS_INHERITED_TYPE if self.inherited_type else 0)
        guids = (found.bytes_le for found in (self.object_type, self.inherited_type) if found)
        return present.to_bytes(4, "little") + b"".join(guids)


def allow(
    sid: bytes,
    mask: int,
    flags: int = 0,
    object_type: uuid.UUID | None = None,
    inherited_type: uuid.UUID | None = None,
) -> Entry:
    """An allowing entry in the form its GUIDs ask for."""
    kind = ALLOW_OBJECT if object_type or inherited_type else ALLOW
    return Entry(kind, flags, mask, sid, object_type, inherited_type)


def is_inherited(raw: bytes) -> bool:
    """Whether an encoded entry comes from a parent."""
    return bool(raw[1] & INHERITED)


def decode(raw: bytes) -> Entry | None:
    """An encoded entry; None for a kind that is none of ours (audit, conditional, …)."""
    if len(raw) < _HEADER or int.from_bytes(raw[2:4], "little") != len(raw):
        raise MalformedError("an access control entry has another length than it says")
    if raw[0] in _PLAIN:
        return _with_sid(raw, 8, None, None)
    return _decode_object(raw) if raw[0] in _OBJECT else None


def _decode_object(raw: bytes) -> Entry | None:
    if len(raw) < 12:
        raise MalformedError("an access control entry ends in the middle")
    present = int.from_bytes(raw[8:12], "little")
    first = 12 + (16 if present & _HAS_TYPE else 0)
    second = first + (16 if present & _HAS_INHERITED_TYPE else 0)
    return _with_sid(raw, second, _guid(raw[12:first]), _guid(raw[first:second]))


def _with_sid(
    raw: bytes, at: int, object_type: uuid.UUID | None, inherited: uuid.UUID | None
) -> Entry | None:
    end = at + sids.length(raw, at)
    mask = int.from_bytes(raw[4:8], "little")
    # Bytes after the SID would be lost by encoding again: such an entry is left as it is.
    return Entry(raw[0], raw[1], mask, raw[at:end], object_type, inherited) if end == len(raw) else None


def _guid(raw: bytes) -> uuid.UUID | None:
    if raw and len(raw) != 16:
        raise MalformedError("an access control entry ends in the middle")
    return uuid.UUID(bytes_le=raw) if raw else None

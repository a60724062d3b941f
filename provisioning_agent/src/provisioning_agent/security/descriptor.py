"""Self-relative security descriptors and their lists (MS-DTYP §2.4.5, §2.4.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from . import sids
from .sids import MalformedError

# Control bits.
DACL_PRESENT: Final = 0x0004
SACL_PRESENT: Final = 0x0010
DACL_PROTECTED: Final = 0x1000
SELF_RELATIVE: Final = 0x8000

REVISION_PLAIN: Final = 2
REVISION_OBJECTS: Final = 4
_HEADER: Final = struct.Struct("<BBHIIII")
_LIST_HEADER: Final = struct.Struct("<BBHHH")


@dataclass(frozen=True, slots=True)
class Acl:
    """An access control list; the entries stay encoded, so that what is not touched keeps every byte."""

    revision: int
    entries: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The list on the wire; ``MalformedError`` beyond the 64 KB a list can have."""
        body = b"".join(self.entries)
        size = _LIST_HEADER.size + len(body)
        if size > 0xFFFF:
            raise MalformedError("an access control list can not be larger than 64 KB")
        return _LIST_HEADER.pack(self.revision, 0, size, len(self.entries), 0) + body


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A security descriptor; parts that are None are absent. ``reserved`` is the resource manager's octet."""

    control: int = SELF_RELATIVE
    owner: bytes | None = None
    group: bytes | None = None
    sacl: Acl | None = None
    dacl: Acl | None = None
    reserved: int = 0

    def encode(self) -> bytes:
        """Owner, group, SACL, DACL in this order after the header, as Windows lays them out."""
        parts = (
            self.owner,
            self.group,
            self.sacl.encode() if self.sacl else None,
            self.dacl.encode() if self.dacl else None,
        )
        offsets, at = [], _HEADER.size
        for part in parts:
            offsets.append(at if part is not None else 0)
            at += len(part or b"")
        head = _HEADER.pack(1, self.reserved, self.control | SELF_RELATIVE, *offsets)
        return head + b"".join(part for part in parts if part is not None)


def decode(raw: bytes) -> Descriptor:
    """Take a self-relative descriptor apart; ``MalformedError`` where it is none."""
    if len(raw) < _HEADER.size or raw[0] != 1:
        raise MalformedError("there is no security descriptor")
    _, reserved, control, owner, group, sacl, dacl = _HEADER.unpack_from(raw)
    if not control & SELF_RELATIVE:
        raise MalformedError("a security descriptor is not self-relative")
    return Descriptor(
        control,
        _sid(raw, owner),
        _sid(raw, group),
        _acl(raw, sacl) if control & SACL_PRESENT else None,
        _acl(raw, dacl) if control & DACL_PRESENT else None,
        reserved,
    )


def _sid(raw: bytes, at: int) -> bytes | None:
    return raw[at : at + sids.length(raw, at)] if at else None


def _acl(raw: bytes, at: int) -> Acl | None:
    if not at:
        return None
    if len(raw) < at + _LIST_HEADER.size:
        raise MalformedError("an access control list ends in the middle")
    revision, _, size, count, _ = _LIST_HEADER.unpack_from(raw, at)
    return Acl(revision, tuple(_entries(raw, at + _LIST_HEADER.size, at + size, count)))


def _entries(raw: bytes, at: int, end: int, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        size = int.from_bytes(raw[at + 2 : at + 4], "little")
        if size < 4 or at + size > min(end, len(raw)):
            raise MalformedError("an access control entry does not fit into its list")
        found.append(raw[at : at + size])
        at += size
    return found

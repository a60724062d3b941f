"""Names as Active Directory writes them: extended DNs, RDN-wise comparison, conflict marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from .errors import DirectoryError

_GUID_MARK = b"<GUID="
_SID_MARK = b";<SID="
# <GUID= + 36 characters + >
_AFTER_GUID = 43
_FOREIGN_MARK: Final = b",CN=ForeignSecurityPrincipals,"
_FOREIGN: Final = re.compile(
    rb"<GUID=([0-9a-fA-F-]{36})>;(?:<SID=[^>]*>;)?CN=(S(?:-[0-9]+){3,}),CN=ForeignSecurityPrincipals,"
)


class Reference(NamedTuple):
    """What an extended DN names: objectGUID (lower-case, hyphenated) and plain DN."""

    guid: str
    dn: str


def parse_extended(value: bytes) -> Reference:
    """Split ``<GUID=…>;<SID=…>;dn`` (MS-ADTS §3.1.1.3.4.1.5, flag 1); the SID part may be absent."""
    if not value.startswith(_GUID_MARK) or value[42:43] != b">":
        raise DirectoryError("AdAnswerUnreadable")
    guid = value[6:42].decode("ascii", "replace").lower()
    has_sid = value.startswith(_SID_MARK, _AFTER_GUID)
    start = value.find(b">;", _AFTER_GUID) + 2 if has_sid else _AFTER_GUID + 1
    return Reference(guid, value[start:].decode(errors="replace"))


def guid_of(value: bytes) -> str:
    """Only the objectGUID of an extended DN."""
    if not value.startswith(_GUID_MARK):
        raise DirectoryError("AdAnswerUnreadable")
    return value[6:42].decode("ascii", "replace").lower()


def foreign_sids(values: Iterable[bytes]) -> dict[str, str]:
    """SIDs by objectGUID of those that stand for somebody outside the forest (MS-ADTS §6.1.1.4.10).

    The name of such an object is the SID of whom it stands for.
    """
    found = (_FOREIGN.match(value) for value in values if _FOREIGN_MARK in value)
    return {one[1].decode().lower(): one[2].decode() for one in found if one is not None}


def guid_base(guid: str) -> str:
    """A search base that names an object by GUID, wherever it is now (MS-ADTS §3.1.1.3.1.2.4)."""
    return f"<GUID={guid}>"


def is_conflict(dn: str) -> bool:
    """True for the loser of a replication conflict: its RDN ends in ``\\0ACNF:<guid>``."""
    return "\\0ACNF:" in dn


def rdns(dn: str) -> tuple[str, ...]:
    """The RDNs of a DN, unescaped and case-folded, nearest first: for comparison, not for showing."""
    if "\\" not in dn:
        return tuple(dn.casefold().split(",")) if dn else ()
    return tuple(_unescape(part).casefold() for part in _split(dn))


def _split(dn: str) -> list[str]:
    parts, start, pos = [], 0, 0
    while pos < len(dn):
        if dn[pos] == "\\":
            pos += 1
        elif dn[pos] == ",":
            parts.append(dn[start:pos])
            start = pos + 1
        pos += 1
    parts.append(dn[start:])
    return parts


def _unescape(text: str) -> str:
    out, pos = bytearray(), 0
    while pos < len(text):
        pair = text[pos + 1 : pos + 3]
        if text[pos] != "\\":
            out += text[pos].encode()
            pos += 1
        elif _is_hex(pair):
            out.append(int(pair, 16))
            pos += 3
        else:
            out += text[pos + 1 : pos + 2].encode()
            pos += 2
    return out.decode(errors="replace")


def _is_hex(pair: str) -> bool:
    return len(pair) == 2 and all(character in "0123456789abcdefABCDEF" for character in pair)


def is_below(name: tuple[str, ...], container: tuple[str, ...]) -> bool:
    """True if the object with these RDNs lies in or under the container with those."""
    depth = len(container)
    return len(name) >= depth and name[len(name) - depth :] == container

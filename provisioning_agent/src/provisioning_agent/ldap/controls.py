"""The LDAP controls used here: paging (RFC 2696) and Active Directory's own (MS-ADTS §3.1.1.3.4.1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from . import ber

PAGED: Final = "1.2.840.113556.1.4.319"
DIR_SYNC: Final = "1.2.840.113556.1.4.841"
EXTENDED_DN: Final = "1.2.840.113556.1.4.529"
NOTIFICATION: Final = "1.2.840.113556.1.4.528"
SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
DOMAIN_SCOPE: Final = "1.2.840.113556.1.4.1339"
SD_FLAGS: Final = "1.2.840.113556.1.4.801"

# LDAP_DIRSYNC_INCREMENTAL_VALUES, 0x80000000 as the signed 32-bit number Active Directory reads.
_INCREMENTAL_VALUES: Final = -0x80000000


class DirSyncAnswer(NamedTuple):
    """What the DirSync response control says: is there more, and the cookie to go on from."""

    more: bool
    cookie: bytes


def _control(oid: str, value: bytes | None = None, *, critical: bool = True) -> bytes:
    parts = [ber.octets(oid.encode())]
    if critical:
        parts.append(ber.boolean(True))
    if value is not None:
        parts.append(ber.octets(value))
    return ber.sequence(*parts)


def paged(size: int, cookie: bytes) -> bytes:
    """Ask for at most ``size`` entries, going on from ``cookie`` (empty: from the start)."""
    return _control(PAGED, ber.sequence(ber.integer(size), ber.octets(cookie)))


def paged_cookie(controls: dict[str, bytes]) -> bytes:
    """The cookie of the next page; empty when this page was the last."""
    value = controls.get(PAGED)
    if value is None:
        return b""
    return ber.children(ber.children(value)[0][1])[1][1]


def dir_sync(cookie: bytes) -> bytes:
    """Ask for what changed since ``cookie``, linked values as additions and removals only."""
    # MaxBytes: AD sends about this much per answer; a domain controller may ignore it.
    value = ber.sequence(ber.integer(_INCREMENTAL_VALUES), ber.integer(1 << 20), ber.octets(cookie))
    return _control(DIR_SYNC, value)


def dir_sync_answer(controls: dict[str, bytes]) -> DirSyncAnswer | None:
    """The DirSync response control, None if the server did not send it."""
    value = controls.get(DIR_SYNC)
    if value is None:
        return None
    parts = ber.children(ber.children(value)[0][1])
    return DirSyncAnswer(ber.to_int(parts[0][1]) != 0, parts[2][1])


def extended_dn() -> bytes:
    """Ask for names as ``<GUID=…>;<SID=…>;dn`` with readable GUID and SID (flag 1)."""
    return _control(EXTENDED_DN, ber.sequence(ber.integer(1)))


def notification() -> bytes:
    """Leave the search open and send objects as they change (MS-ADTS §3.1.1.3.4.1.9)."""
    return _control(NOTIFICATION)


def show_deleted() -> bytes:
    """Make tombstones visible."""
    return _control(SHOW_DELETED)


def domain_scope() -> bytes:
    """Ask for no continuation references; optional, since references are ignored anyway."""
    return _control(DOMAIN_SCOPE, critical=False)


def sd_flags(parts: int) -> bytes:
    """Ask for, or write, only these parts of security descriptors (MS-ADTS §3.1.1.3.4.1.11)."""
    return _control(SD_FLAGS, ber.sequence(ber.integer(parts)))

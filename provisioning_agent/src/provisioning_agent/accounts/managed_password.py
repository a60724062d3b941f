"""The password of a group managed service account, as a controller computes it for a host that may have it. Pure.

MSDS-MANAGEDPASSWORD_BLOB, MS-ADTS §2.2.19: the value of the constructed attribute msDS-ManagedPassword.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from provisioning_agent.security.sids import MalformedError

# Version, reserved, length, offsets of: current password, previous password, the two intervals.
_HEADER: Final = struct.Struct("<HHIHHHH")
_INTERVAL: Final = struct.Struct("<Q")
_PASSWORD: Final = 256
_END: Final = b"\0\0"


@dataclass(frozen=True, slots=True)
class ManagedPassword:
    """``current`` and ``previous`` are 256 octets, to be read as UTF-16LE with whatever surrogates come.

    ``query_after``: when to ask again; ``unchanged_for``: how long the current one is certain to hold.
    """

    current: bytes = field(repr=False)
    previous: bytes | None = field(repr=False)
    query_after: timedelta
    unchanged_for: timedelta


def decode(blob: bytes) -> ManagedPassword:
    """Take a blob apart; ``MalformedError``, which quotes nothing of it, where it is none."""
    if len(blob) < _HEADER.size:
        raise MalformedError("a managed password is shorter than its header")
    version, _, length, current, previous, query, unchanged = _HEADER.unpack_from(blob)
    if version != 1 or length != len(blob):
        raise MalformedError("a managed password has another version or length than it says")
    return ManagedPassword(
        current=_password(blob, current),
        previous=_password(blob, previous) if previous else None,
        query_after=_interval(blob, query),
        unchanged_for=_interval(blob, unchanged),
    )


def _password(blob: bytes, at: int) -> bytes:
    end = at + _PASSWORD
    if at < _HEADER.size or blob[end : end + len(_END)] != _END:
        raise MalformedError("a managed password does not lie where its header says")
    return blob[at:end]


def _interval(blob: bytes, at: int) -> timedelta:
    if at < _HEADER.size or at + _INTERVAL.size > len(blob):
        raise MalformedError("an interval of a managed password does not lie where the header says")
    (ticks,) = _INTERVAL.unpack_from(blob, at)
    try:
        return timedelta(microseconds=ticks // 10)
    except OverflowError as error:
        raise MalformedError("an interval of a managed password is longer than any time") from error

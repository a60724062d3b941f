"""The primary group of an account: a membership that no ``member`` value tells of.

AD keeps it as a RID in primaryGroupID (MS-ADTS §3.1.1.4.5.11 for the reverse); the group's objectSid is that of the
account with its last sub-authority replaced (MS-DTYP §2.4.2.2: sub-authorities are 32-bit little-endian).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from typing import Any, Final

# Below this RID are the groups that come with a domain, Domain Users among them. They are critical system objects,
# which are never read (entra-features §10).
FIRST_OWN_RID: Final = 1000
_RID_BYTES: Final = 4
_SHORTEST_SID: Final = 12


def primary_group_sid(attributes: Mapping[str, Any]) -> str | None:
    """objectSid of the primary group, in base64 as on the wire; None where it can not be in scope."""
    rid = attributes.get("primaryGroupID")
    if not isinstance(rid, int) or rid < FIRST_OWN_RID:
        return None
    try:
        sid = b64decode(attributes.get("objectSid") or "", validate=True)
    except (Error, TypeError, ValueError):
        return None
    if len(sid) < _SHORTEST_SID:
        return None
    return b64encode(sid[:-_RID_BYTES] + rid.to_bytes(_RID_BYTES, "little")).decode()

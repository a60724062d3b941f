"""Foreign security principals: objects of a domain that stand for somebody of another forest, named by SID.

A SID of the form S-1-5-21-<domain>-<RID> is that of an account or a group of some domain (MS-DTYP §2.4.2.4). All
others are the same everywhere, *Authenticated Users* for one, and are never anybody's membership in the cloud.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

_OF_A_DOMAIN: Final = re.compile(r"(S-1-5-21(?:-[0-9]+){3})-[0-9]+\Z")
# MS-DTYP §2.4.2.4
_WELL_KNOWN: Final = {
    "S-1-1-0": "Everyone",
    "S-1-2-0": "Local",
    "S-1-2-1": "Console Logon",
    "S-1-3-0": "Creator Owner",
    "S-1-3-1": "Creator Group",
    "S-1-3-4": "Owner Rights",
    "S-1-5-1": "Dialup",
    "S-1-5-2": "Network",
    "S-1-5-3": "Batch",
    "S-1-5-4": "Interactive",
    "S-1-5-6": "Service",
    "S-1-5-7": "Anonymous Logon",
    "S-1-5-8": "Proxy",
    "S-1-5-9": "Enterprise Domain Controllers",
    "S-1-5-10": "Self",
    "S-1-5-11": "Authenticated Users",
    "S-1-5-12": "Restricted",
    "S-1-5-13": "Terminal Server User",
    "S-1-5-14": "Remote Interactive Logon",
    "S-1-5-15": "This Organization",
    "S-1-5-17": "IUSR",
    "S-1-5-18": "System",
    "S-1-5-19": "Local Service",
    "S-1-5-20": "Network Service",
    "S-1-5-32-544": "Administrators",
    "S-1-5-32-545": "Users",
    "S-1-5-32-546": "Guests",
    "S-1-5-64-10": "NTLM Authentication",
    "S-1-5-64-14": "SChannel Authentication",
    "S-1-5-64-21": "Digest Authentication",
    "S-1-5-65-1": "This Organization Certificate",
    "S-1-5-80-0": "All Services",
    "S-1-5-113": "Local account",
    "S-1-5-114": "Local account and member of Administrators group",
    "S-1-5-1000": "Other Organization",
    "S-1-18-1": "Authentication authority asserted identity",
    "S-1-18-2": "Service asserted identity",
}


def domain_of(sid: str) -> str | None:
    """The SID of the domain whose account or group it is; None for one that is the same everywhere."""
    found = _OF_A_DOMAIN.match(sid)
    return found[1] if found else None


def well_known_name(sid: str) -> str | None:
    """Its name where it is the same everywhere and has one."""
    return _WELL_KNOWN.get(sid)


class Standing(StrEnum):
    """What became of a foreign security principal in a group."""

    LINKED = "Linked"
    NOT_IN_TARGET = "NotInTarget"
    NOT_READ = "NotRead"
    NOT_CONNECTED = "NotConnected"
    WELL_KNOWN = "WellKnown"


SENTENCES: Final = {
    Standing.LINKED: "It is a member of the group in the target.",
    Standing.NOT_IN_TARGET: "Whom it stands for was read but is not in the target; that one's explanation says why.",
    Standing.NOT_READ: "No configuration of its domain has whom it stands for in its scope. Widen the scope; "
    "computers and the groups that come with a domain are never read.",
    Standing.NOT_CONNECTED: "No configuration to the same target has its domain. Connect that forest.",
    Standing.WELL_KNOWN: "It is the same in every domain and nobody's membership in the target.",
}


def standing(sid: str, *, is_connected: bool, is_known: bool, is_linked: bool) -> Standing:
    """What became of one: its domain is connected to the target, it was read there, it is in the target."""
    if domain_of(sid) is None:
        return Standing.WELL_KNOWN
    if is_linked:
        return Standing.LINKED
    if is_known:
        return Standing.NOT_IN_TARGET
    return Standing.NOT_READ if is_connected else Standing.NOT_CONNECTED

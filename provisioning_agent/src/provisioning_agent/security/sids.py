"""Security identifiers (MS-DTYP §2.4.2) of accounts and groups, and the well-known ones."""

from __future__ import annotations

from typing import Final

from provisioning_agent.wire.sids import MalformedError, from_text, length, to_text

__all__ = ["MalformedError", "from_text", "length", "member", "to_text"]


def member(domain: bytes, rid: int) -> bytes:
    """The SID of an account or group of a domain."""
    return bytes((1, domain[1] + 1)) + domain[2:] + rid.to_bytes(4, "little")


# MS-DTYP §2.4.2.4
EVERYONE: Final = from_text("S-1-1-0")
ENTERPRISE_DOMAIN_CONTROLLERS: Final = from_text("S-1-5-9")
SELF: Final = from_text("S-1-5-10")
AUTHENTICATED_USERS: Final = from_text("S-1-5-11")
SYSTEM: Final = from_text("S-1-5-18")
ADMINISTRATORS: Final = from_text("S-1-5-32-544")
DOMAIN_ADMINS_RID: Final = 512
ENTERPRISE_ADMINS_RID: Final = 519

"""A connection that may also change the directory: used by set-up commands only, never by a running agent."""

from __future__ import annotations

from typing import Final

from . import controls
from .connection import DirectoryConnection
from .errors import DirectoryError, from_result
from .filters import present
from .messages import Done, Scope, Search, encode_replace

DESCRIPTOR: Final = "nTSecurityDescriptor"
# Parts of a security descriptor, MS-ADTS §3.1.1.3.4.1.11.
OWNER: Final = 1
DACL: Final = 4


def read_descriptor(connection: DirectoryConnection, dn: str, parts: int = DACL) -> bytes | None:
    """The chosen parts of an object's security descriptor; None where there is no such object.

    Empty where the account may not read it. Deleted objects are found too.
    """
    extras = (controls.sd_flags(parts), controls.show_deleted())
    found = connection.find(Search(dn, present("objectClass"), (DESCRIPTOR,), Scope.BASE, extras))
    return None if found is None else found.first(DESCRIPTOR) or b""


def write_descriptor(connection: DirectoryConnection, dn: str, raw: bytes, parts: int = DACL) -> None:
    """Replace the chosen parts of an object's security descriptor."""
    extras = controls.sd_flags(parts) + controls.show_deleted()
    done = connection.request(lambda number: encode_replace(number, dn, DESCRIPTOR, (raw,), extras))
    if done.code:
        raise _refusal(dn, done)


def _refusal(dn: str, done: Done) -> DirectoryError:
    error = from_result(done.code)
    if error.code != "AdAccessDenied":
        return error
    return DirectoryError("AdWriteDenied", f"The account may not change {dn}; use a domain administrator's.")

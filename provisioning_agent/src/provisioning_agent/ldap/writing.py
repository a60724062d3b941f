"""A connection that may also change the directory: used by set-up commands only, never by a running agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from . import controls
from .connection import DirectoryConnection
from .errors import DirectoryError, from_result
from .filters import present
from .messages import Change, Done, How, Scope, Search, encode_add, encode_changes, encode_replace

DESCRIPTOR: Final = "nTSecurityDescriptor"
# Parts of a security descriptor, MS-ADTS §3.1.1.3.4.1.11.
OWNER: Final = 1
DACL: Final = 4
# Constraint violation, invalid syntax, no such object, unwilling to perform, naming violation, class violation,
# already there (RFC 4511 §4.1.9).
_REFUSED_VALUES: Final = frozenset({19, 21, 32, 53, 64, 65, 68})


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


def add_object(connection: DirectoryConnection, dn: str, attributes: Mapping[str, Sequence[bytes]]) -> None:
    """Create an object."""
    done = connection.request(lambda number: encode_add(number, dn, attributes))
    if done.code:
        raise _refusal(dn, done)


def replace_values(connection: DirectoryConnection, dn: str, attribute: str, values: Sequence[bytes]) -> None:
    """Replace all values of one attribute."""
    done = connection.request(lambda number: encode_replace(number, dn, attribute, values, b""))
    if done.code:
        raise _refusal(dn, done)


def change_password(connection: DirectoryConnection, dn: str, old: str, new: str) -> None:
    """Change a password by who knows the old one (MS-ADTS §3.1.1.3.1.5.1): the account itself needs no right."""
    changes = (
        Change(How.DELETE, "unicodePwd", (quoted_password(old),)),
        Change(How.ADD, "unicodePwd", (quoted_password(new),)),
    )
    done = connection.request(lambda number: encode_changes(number, dn, changes))
    if done.code:
        raise _refusal(dn, done)


def quoted_password(password: str) -> bytes:
    """A password as unicodePwd takes it: in quotes, UTF-16LE (MS-ADTS §3.1.1.3.1.5.1)."""
    return f'"{password}"'.encode("utf-16-le")


def _refusal(dn: str, done: Done) -> DirectoryError:
    if done.code in _REFUSED_VALUES:
        return DirectoryError(
            "AdWriteRefused", f"The domain controller refused to change {dn}: {_reason(done)}"
        )
    error = from_result(done.code)
    if error.code != "AdAccessDenied":
        return error
    return DirectoryError("AdWriteDenied", f"The account may not change {dn}; use a domain administrator's.")


def _reason(done: Done) -> str:
    # The server's own words: they name a rule or an attribute, never a value.
    words = " ".join(done.message.split())
    return f"{words[:200] or 'it gives no reason'} (LDAP {done.code})."

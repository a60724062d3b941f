"""Whose keys lie in a keytab file. Pure but for reading it; the keys themselves are never looked at.

The format is MIT's, version 0x0502: a list of entries, each with its length; a negative length is a hole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError

_VERSION: Final = b"\x05\x02"
# RFC 3961 and MS-KILE §3.1.5.2: what a keytab of a joined host usually holds.
_TYPES: Final = {17: "AES128", 18: "AES256", 23: "RC4"}


@dataclass(frozen=True, slots=True)
class Key:
    """One entry: whose key, of which type."""

    name: str
    realm: str
    type: int

    @property
    def principal(self) -> str:
        """``name@REALM``."""
        return f"{self.name}@{self.realm}"

    @property
    def type_name(self) -> str:
        """The type in words."""
        return _TYPES.get(self.type, f"type {self.type}")


def read(path: Path) -> list[Key]:
    """The entries of a keytab; ``KeytabUnreadable`` where there is none that can be read."""
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise AgentError(
            "KeytabUnreadable", f"The keytab {path} can not be read ({error.strerror}); {_mend(path)}"
        ) from error
    except (ValueError, struct.error) as error:
        raise AgentError("KeytabUnreadable", f"{path} is no keytab; name the host's.") from error


def host_principal(path: Path, realm: str) -> str:
    """The computer account whose keys the keytab holds, best one of this realm."""
    hosts = [key for key in read(path) if key.name.endswith("$") and "/" not in key.name]
    if not hosts:
        raise AgentError(
            "KeytabUnreadable", f"The keytab {path} holds no computer account; join the host to the domain."
        )
    return min(hosts, key=lambda key: key.realm != realm).principal


def parse(content: bytes) -> list[Key]:
    """Take a keytab apart; ``ValueError`` or ``struct.error`` where it is none."""
    if not content.startswith(_VERSION):
        raise ValueError("no keytab of version 2")
    return [_key(entry) for entry in _entries(content)]


def _entries(content: bytes) -> Iterator[bytes]:
    at = len(_VERSION)
    while at + 4 <= len(content):
        (size,) = struct.unpack_from(">i", content, at)
        at += 4
        if size == 0:
            return
        if size > 0:
            if at + size > len(content):
                raise ValueError("an entry ends after the file")
            yield content[at : at + size]
        at += abs(size)


def _key(entry: bytes) -> Key:
    (count,) = struct.unpack_from(">H", entry, 0)
    realm, at = _text(entry, 2)
    parts = []
    for _ in range(count):
        part, at = _text(entry, at)
        parts.append(part)
    # Type of the name, time, version of the key.
    (kind,) = struct.unpack_from(">H", entry, at + 4 + 4 + 1)
    return Key("/".join(parts), realm, kind)


def _text(entry: bytes, at: int) -> tuple[str, int]:
    (size,) = struct.unpack_from(">H", entry, at)
    end = at + 2 + size
    if end > len(entry):
        raise ValueError("a name ends after its entry")
    return entry[at + 2 : end].decode(), end


def _mend(path: Path) -> str:
    return f"let the agent's user read it: setfacl -m u:isthmus-agent:r {path}"

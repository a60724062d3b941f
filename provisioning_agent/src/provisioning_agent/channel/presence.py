"""Which process this is, on which host, and where in the portal's sequence: so that a copy of it is noticed."""

from __future__ import annotations

import hashlib
import logging
import platform
import uuid
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError
from provisioning_agent.files import write_private

log = logging.getLogger(__name__)

_FILE: Final = "sequence"
_MACHINE_IDS: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


class Presence:
    """The instance id is made anew with every process and never stored; the sequence token is stored."""

    def __init__(self, state: Path) -> None:
        self._path = state / _FILE
        self._instance = str(uuid.uuid4())
        self._host = ""

    def told(self) -> dict[str, str]:
        """What goes along with a bootstrap."""
        self._host = self._host or host_fingerprint()
        found = {"instance": self._instance, "host": self._host}
        sequence = self._stored()
        return {**found, "sequence": sequence} if sequence else found

    def follow(self, sequence: str) -> None:
        """Store the token of a bootstrap answer."""
        if not sequence:
            return
        try:
            write_private(self._path, sequence.encode())
        except AgentError as error:
            # The old token is then told again, which the portal takes for a lost answer.
            log.warning("event=sequence-not-written code=%s", error.code)

    def _stored(self) -> str:
        try:
            return self._path.read_text(encoding="ascii").strip()[:64]
        except (OSError, UnicodeDecodeError):
            return ""


def host_fingerprint() -> str:
    """SHA-256 of machine id, network address and host name: different on a copied host, and tells none of them.

    A copied virtual machine often keeps the machine id (machine-id(5)); its network card has another address.
    """
    parts = (_machine_id(), _network_address(), platform.node())
    return hashlib.sha256("\n".join(("isthmus-host", *parts)).encode()).hexdigest()


def _network_address() -> str:
    node = uuid.getnode()
    # Python makes one up, new in every process, where there is none; the multicast bit marks it (RFC 9562 §6.10).
    return "" if node >> 40 & 1 else f"{node:012x}"


def _machine_id() -> str:
    for path in _MACHINE_IDS:
        try:
            return path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
    return ""

"""What an agent says of itself and of the domains it reads."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The host an agent runs on, and the address its calls come from."""

    name: str
    version: str
    operating_system: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Presence:
    """The process that calls, a fingerprint of its host, and the last sequence token it has stored (or "")."""

    instance_id: UUID
    host: str
    sequence: str


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """One AD domain; ``fqdn`` and ``forest`` in lower case."""

    fqdn: str
    netbios: str
    forest: str
    sid: str

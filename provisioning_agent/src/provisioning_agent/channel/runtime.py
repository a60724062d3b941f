"""What the threads of a running agent share: the stop signal, the bus token, the leases being answered."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from provisioning_agent.config import AgentConfig
from provisioning_agent.ldap.servers import ServerBook
from provisioning_agent.status import StatusBook
from provisioning_agent.wire.errors import WireError

from .bus import Lease
from .clock import Clock
from .http import PortalHttp, open_portal


@dataclass(frozen=True, slots=True)
class Access:
    """Where the bus is, the token that opens it, and whether the portal wants to hear of changes."""

    urls: tuple[str, ...]
    token: str = field(repr=False)
    listen: bool = False


class BusAccess:
    """The current bus token: written by the bootstrap loop, awaited by the lanes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._access: Access | None = None
        self._closed = False
        self.wanted = threading.Event()

    def publish(self, access: Access) -> None:
        """A new token is there."""
        with self._changed:
            self._access = access
            self.wanted.clear()
            self._changed.notify_all()

    def discard(self, stale: Access) -> None:
        """This token was refused: ask for a new one, unless there is one already."""
        with self._changed:
            if self._access is stale:
                self._access = None
                self.wanted.set()

    def wait(self) -> Access | None:
        """The current token, as soon as there is one; None when the agent stops."""
        with self._changed:
            self._changed.wait_for(lambda: self._access is not None or self._closed)
            return None if self._closed else self._access

    def last(self) -> Access | None:
        """The current token even while the agent stops, None if there is none."""
        with self._changed:
            return self._access

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self.wanted.set()
            self._changed.notify_all()


class ActiveLeases:
    """The requests being answered right now."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._leases: dict[str, Lease] = {}

    def add(self, lease: Lease) -> None:
        """Answering begins."""
        with self._changed:
            self._leases[lease.request_id] = lease

    def remove(self, lease: Lease) -> None:
        """Answering has ended, one way or the other."""
        with self._changed:
            self._leases.pop(lease.request_id, None)
            self._changed.notify_all()

    def drain(self, seconds: float) -> list[Lease]:
        """Wait for all to end; those that did not are returned."""
        with self._changed:
            self._changed.wait_for(lambda: not self._leases, seconds)
            return list(self._leases.values())


@dataclass(slots=True)
class Runtime:
    """One running agent."""

    config: AgentConfig
    state: Path
    clock: Clock
    status: StatusBook
    stop: threading.Event = field(default_factory=threading.Event)
    access: BusAccess = field(default_factory=BusAccess)
    leases: ActiveLeases = field(default_factory=ActiveLeases)
    servers: ServerBook = field(default_factory=ServerBook)
    refused: WireError | None = None
    restart: bool = False

    def http(self) -> PortalHttp:
        """A connection pool for the calling thread."""
        return open_portal(self.config)

    def halt(self, reason: WireError | None = None) -> None:
        """Make every thread stop; with a reason if it was the portal that said so."""
        self.refused = self.refused or reason
        self.stop.set()
        self.access.close()

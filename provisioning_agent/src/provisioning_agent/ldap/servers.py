"""Which controllers of a domain failed lately: they are asked after the others for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from .errors import DirectoryError

# An endpoint; whatever names a controller will do.
Server = TypeVar("Server", bound=Hashable)

# Then the preferred order counts again.
AVOIDED_S: Final = 300.0
# A controller that did not answer to the end, or did not want to.
FAILURES: Final = frozenset({"AdUnreachable", "AdConnectionLost", "AdTimeout", "AdBusy"})


class ServerBook:
    """Remembers failures of controllers while the agent runs; used by all its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_at: dict[Hashable, float] = {}

    def ordered(self, servers: Sequence[Server]) -> list[Server]:
        """The servers as they are preferred, those that failed lately last: every one is still tried."""
        now = self._clock()
        with self._lock:
            return sorted(servers, key=lambda server: self._is_avoided(server, now))

    def is_avoided(self, server: Hashable) -> bool:
        """Whether this one failed lately."""
        with self._lock:
            return self._is_avoided(server, self._clock())

    def failed(self, server: Hashable) -> None:
        """This one did not answer."""
        with self._lock:
            self._failed_at[server] = self._clock()

    def answered(self, server: Hashable) -> None:
        """This one answered to the end."""
        with self._lock:
            self._failed_at.pop(server, None)

    @contextmanager
    def judging(self, server: Hashable) -> Iterator[None]:
        """Remember how the block ended for the controller that it talks to."""
        try:
            yield
        except DirectoryError as error:
            if error.code in FAILURES:
                self.failed(server)
            raise
        self.answered(server)

    def _is_avoided(self, server: Hashable, now: float) -> bool:
        failed_at = self._failed_at.get(server)
        return failed_at is not None and now - failed_at < AVOIDED_S

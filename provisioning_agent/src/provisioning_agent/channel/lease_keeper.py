"""Keeping a lease alive while the directory takes its time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from provisioning_agent.wire.errors import WireError

from .bus import Lease, renew_lease
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)

# Two renewals may get lost before the lease does.
_PER_LEASE: Final = 3


class LeaseKeeper:
    """Renews in the background as long as the block runs; calls ``lost`` once if the lease is gone."""

    def __init__(
        self, runtime: Runtime, access: Access, lease: Lease, lost: Callable[[WireError], None]
    ) -> None:
        self._runtime, self._access, self._lease, self._lost = runtime, access, lease, lost
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease-{lease.request_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()

    def _run(self) -> None:
        http = self._runtime.http()
        while not self._runtime.clock.wait(self._done, self._lease.seconds / _PER_LEASE):
            try:
                renew_lease(http, self._access.token, self._lease)
            except WireError as error:
                log.warning("event=lease-not-renewed request=%s code=%s", self._lease.request_id, error.code)
                if verdict(error) is Verdict.DROP:
                    self._lost(error)
                    break
                if verdict(error) is Verdict.NEW_TOKEN:
                    self._runtime.access.discard(self._access)
                    self._access = self._runtime.access.wait() or self._access
        http.close()

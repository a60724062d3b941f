"""The bus loop: one lane waits for a request, answers it, waits again; each lane is a thread."""

from __future__ import annotations

import logging
import random

from provisioning_agent.wire.errors import WireError

from .answering import answer
from .backoff import Backoff
from .bus import Lease, hand_back, poll
from .http import PortalHttp
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)


class BusLane:
    """Listens all the time; several lanes let requests of several domains be answered at once."""

    def __init__(self, runtime: Runtime, number: int) -> None:
        self._runtime = runtime
        self._number = number
        self._backoff = Backoff()

    def run(self) -> None:
        """Until the agent stops."""
        http = self._runtime.http()
        while (access := self._runtime.access.wait()) is not None:
            lease = self._wait_for_request(http, access)
            if lease is None:
                continue
            if self._runtime.stop.is_set():
                self._return(http, access, lease)
            else:
                answer(self._runtime, http, access, lease)
        http.close()

    def _wait_for_request(self, http: PortalHttp, access: Access) -> Lease | None:
        try:
            lease = poll(http, random.choice(access.urls), access.token)  # noqa: S311  # spreads load, no secret
        except WireError as error:
            self._failed(access, error)
            return None
        if self._backoff.failures:
            self._runtime.status.count(reconnects=1)
        self._backoff.succeeded()
        return lease

    def _failed(self, access: Access, error: WireError) -> None:
        runtime = self._runtime
        decision = verdict(error)
        if decision is Verdict.STOP:
            log.error('event=bus-refused lane=%d code=%s detail="%s"', self._number, error.code, error.detail)
            runtime.halt(error)
            return
        if decision is Verdict.NEW_TOKEN:
            runtime.access.discard(access)
        delay = self._backoff.failed(error.retry_after)
        log.warning("event=bus-failed lane=%d code=%s retry_in=%.1f", self._number, error.code, delay)
        runtime.clock.wait(runtime.stop, delay)

    def _return(self, http: PortalHttp, access: Access, lease: Lease) -> None:
        self._runtime.leases.add(lease)
        try:
            hand_back(http, access.token, lease)
        except WireError as error:
            # The lease ends by itself; the request is only answered later.
            log.warning("event=hand-back-failed request=%s code=%s", lease.request_id, error.code)
        finally:
            self._runtime.leases.remove(lease)

"""Delivering pages on a second thread, in order, while the next ones are read."""

from __future__ import annotations

import logging
import queue
import threading
from contextvars import copy_context
from datetime import datetime
from typing import Final

from provisioning_agent.wire.errors import WireError

from .backoff import Backoff
from .bus import Lease, post_page
from .http import PortalHttp
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)

# Enough to bridge a slow answer, few enough to keep memory flat.
_PAGES_WAITING: Final = 2
_PUT_TICK_S: Final = 0.5


class Delivery:
    """Posts the pages of one lease; the first failure that can not be mended ends it."""

    def __init__(
        self, runtime: Runtime, http: PortalHttp, access: Access, lease: Lease, deadline: datetime
    ) -> None:
        self._runtime, self._http, self._lease, self._deadline = runtime, http, lease, deadline
        self._access: Access | None = access
        self._pages: queue.Queue[bytes | None] = queue.Queue(_PAGES_WAITING)
        self._cancelled = threading.Event()
        self.failure: WireError | None = None
        self.posted_bytes = 0
        # With the context of the caller, so that lines of this thread carry the correlation id too.
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name=f"deliver-{lease.request_id}", daemon=True
        )
        self._thread.start()

    def put(self, page: bytes) -> None:
        """Hand over the next page; waits while enough are on their way, raises what ended the delivery."""
        self._put(page)

    def finish(self) -> None:
        """Wait until every page has arrived."""
        self._put(None)
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def cancel(self) -> None:
        """Post nothing more; returns when nothing is on its way."""
        self._cancelled.set()
        self._thread.join()

    def refuse(self, failure: WireError) -> None:
        """Somebody else learned that this lease is lost."""
        self.failure = self.failure or failure
        self._cancelled.set()

    def _put(self, page: bytes | None) -> None:
        while True:
            if self.failure is not None:
                raise self.failure
            try:
                self._pages.put(page, timeout=_PUT_TICK_S)
            except queue.Full:
                continue
            return

    def _run(self) -> None:
        number = 0
        while not self._cancelled.is_set():
            try:
                page = self._pages.get(timeout=_PUT_TICK_S)
            except queue.Empty:
                continue
            if page is None:
                return
            number += 1
            try:
                self._deliver(number, page)
            except WireError as error:
                self.failure = self.failure or error
                return

    def _deliver(self, number: int, page: bytes) -> None:
        backoff = Backoff(cap=10.0)
        while True:
            access = self._access or self._runtime.access.wait()
            if access is None:
                raise WireError("ServiceUnavailable", "The agent is stopping; the request goes to another.")
            try:
                post_page(self._http, access.token, self._lease, number, page)
            except WireError as error:
                self._weigh(error, access, number)
                self._runtime.clock.wait(self._cancelled, backoff.failed(error.retry_after))
                continue
            self._access = access
            self.posted_bytes += len(page)
            return

    def _weigh(self, error: WireError, access: Access, number: int) -> None:
        """Raise unless trying again makes sense."""
        decision = verdict(error)
        late = self._runtime.clock.now() > self._deadline
        if decision not in (Verdict.RETRY, Verdict.NEW_TOKEN) or late or self._cancelled.is_set():
            raise error
        if decision is Verdict.NEW_TOKEN:
            self._runtime.access.discard(access)
            self._access = None
        log.warning(
            "event=page-delayed request=%s page=%d code=%s", self._lease.request_id, number, error.code
        )

"""Answering one leased request: read, encode and deliver at the same time; end in exactly one way."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from provisioning_agent.accounts.entering import login_for
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import DirectoryLogin, connect
from provisioning_agent.ldap.reader import read
from provisioning_agent.support.correlation import correlated
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.pages import Page, encode_page
from provisioning_agent.wire.requests import ReadRequest

from .bus import Lease, hand_back, post_failure
from .delivery import Delivery
from .http import PortalHttp
from .lease_keeper import LeaseKeeper
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Tally:
    """What was delivered, for log and counters."""

    pages: int = 0
    resources: int = 0
    mode: str = ""

    def add(self, page: Page) -> None:
        self.pages += 1
        self.resources += len(page.resources)
        self.mode = page.mode


def answer(runtime: Runtime, http: PortalHttp, access: Access, lease: Lease) -> None:
    """Answer a request or say why not; nothing is raised, the outcome is on the bus and in the log."""
    runtime.leases.add(lease)
    started = time.monotonic()
    correlation_id = ""
    try:
        request = lease.request()
        correlation_id = request.correlation_id
        with correlated(request.correlation_id):
            tally = _deliver(runtime, http, access, lease, request)
    except WireError as error:
        with correlated(correlation_id):
            _failed(runtime, http, access, lease, error)
    else:
        runtime.status.count(requests=1, pages=tally.pages, resources=tally.resources)
        log.info(
            "event=answered request=%s correlation=%s domain=%s mode=%s pages=%d resources=%d seconds=%.2f",
            lease.request_id,
            request.correlation_id,
            request.domain,
            tally.mode,
            tally.pages,
            tally.resources,
            time.monotonic() - started,
        )
    finally:
        runtime.leases.remove(lease)


def _deliver(
    runtime: Runtime, http: PortalHttp, access: Access, lease: Lease, request: ReadRequest
) -> _Tally:
    login = _login(runtime, request)
    tally = _Tally()
    delivery = Delivery(runtime, http, access, lease, request.deadline)
    try:
        with (
            LeaseKeeper(runtime, access, lease, delivery.refuse),
            connect(login, runtime.servers) as connection,
            runtime.servers.judging(connection.endpoint),
        ):
            for page in read(connection, request, runtime.clock.now):
                delivery.put(encode_page(page))
                tally.add(page)
            delivery.finish()
    finally:
        delivery.cancel()
        runtime.status.count(bytes=delivery.posted_bytes)
    return tally


def _login(runtime: Runtime, request: ReadRequest) -> DirectoryLogin:
    domain = runtime.config.domain(request.domain)
    if domain is None:
        raise WireError("DomainUnknown")
    try:
        return login_for(domain)
    except AgentError as error:
        # This host's set-up is at fault: another agent of the domain may well succeed.
        raise WireError(error.code, error.detail, status=500, retry=True) from error


def _failed(runtime: Runtime, http: PortalHttp, access: Access, lease: Lease, error: WireError) -> None:
    now = runtime.clock.now()
    decision = verdict(error)
    log.warning(
        'event=not-answered request=%s code=%s retry=%s detail="%s"',
        lease.request_id,
        error.code,
        error.retry,
        error.detail,
    )
    if decision is Verdict.DROP:
        return
    runtime.status.failed(error.code, now)
    if decision is Verdict.STOP:
        runtime.halt(error)
        return
    try:
        if runtime.stop.is_set():
            hand_back(http, access.token, lease)
        else:
            post_failure(http, access.token, lease, error)
    except WireError as refused:
        # The lease then runs out and the request goes to another agent.
        log.warning("event=failure-not-posted request=%s code=%s", lease.request_id, refused.code)

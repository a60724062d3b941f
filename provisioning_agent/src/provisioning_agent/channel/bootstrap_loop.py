"""The bootstrap loop: proves identity at start and then every interval, apart from whatever the bus does."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import CLOCK_SKEW_S

from . import identity as identities
from .backoff import Backoff
from .bootstrap import Bootstrapped, bootstrap
from .http import PortalHttp
from .identity import Identity
from .presence import Presence
from .registrations import renew
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)

# Agents started together drift apart by calling a little early, never late.
_SPREAD: Final = 0.1


# What is done after each bootstrap with the update it told of; true if the agent is to start anew.
AfterBootstrap = Callable[[Runtime, PortalHttp, object], bool]


class BootstrapLoop:
    """Owns the agent's identity; publishes bus tokens to the lanes."""

    def __init__(
        self,
        runtime: Runtime,
        identity: Identity,
        after: AfterBootstrap | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._runtime = runtime
        self._identity = identity
        self._after = after
        self._chance = chance
        self._backoff = Backoff(chance=chance)
        self._presence = Presence(runtime.state)

    def run(self) -> None:
        """Until the agent stops."""
        http = self._runtime.http()
        while not self._runtime.stop.is_set():
            delay = self._once(http)
            # Lanes whose token was refused do not wait for the interval to end.
            self._runtime.clock.wait(self._runtime.access.wanted, delay)
        http.close()

    def _once(self, http: PortalHttp) -> float:
        """One call; returns the seconds to wait until the next."""
        runtime = self._runtime
        now = runtime.clock.now()
        try:
            answer = bootstrap(
                http,
                self._identity,
                runtime.config.name,
                self._presence.told(),
                runtime.status.report(),
                now,
            )
        except WireError as error:
            return self._failed(error, now)
        self._backoff.succeeded()
        runtime.status.bootstrapped(now)
        self._presence.follow(answer.sequence)
        runtime.access.publish(Access(answer.bus_urls, answer.bus_token, answer.listen))
        log.info("event=bootstrapped interval=%.0f", answer.interval)
        self._look_at(answer, now)
        if answer.renew_certificate:
            self._renew(http)
        if self._after is not None and self._after(runtime, http, answer.update):
            runtime.restart = True
            runtime.halt()
            return 0.0
        return answer.interval * (1 - _SPREAD * self._chance())

    def _failed(self, error: WireError, now: datetime) -> float:
        runtime = self._runtime
        runtime.status.bootstrap_failed(error.code, now)
        if verdict(error) is Verdict.STOP:
            log.error('event=bootstrap-refused code=%s detail="%s"', error.code, error.detail)
            runtime.halt(error)
            return 0.0
        delay = self._backoff.failed(error.retry_after)
        log.warning(
            'event=bootstrap-failed code=%s retry_in=%.1f detail="%s"', error.code, delay, error.detail
        )
        if runtime.access.wanted.is_set():
            # The wish for a token is being served, only later; else waiting would not wait.
            runtime.access.wanted.clear()
        return delay

    def _look_at(self, answer: Bootstrapped, now: datetime) -> None:
        if answer.server_time is None:
            return
        skew = (now - answer.server_time).total_seconds()
        if abs(skew) > CLOCK_SKEW_S / 2:
            log.warning("event=clock-skew seconds=%.0f this host's clock differs from the portal's", skew)

    def _renew(self, http: PortalHttp) -> None:
        key = identities.new_key()
        csr = identities.signing_request(key, self._runtime.config.name)
        try:
            certificate = renew(http, self._identity, csr, self._runtime.clock.now())
        except WireError as error:
            log.warning('event=renewal-failed code=%s detail="%s"', error.code, error.detail)
            return
        self._identity = replace(self._identity, key=key, certificate_pem=certificate)
        identities.save(self._runtime.state, self._identity)
        log.info("event=certificate-renewed not_after=%s", self._identity.not_after.isoformat())

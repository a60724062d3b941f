"""The listener: hears from the domain controller that something has changed, and tells the portal."""

from __future__ import annotations

import logging
import random
import time
from typing import Final

from provisioning_agent.accounts.entering import login_for
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.ber import BerError
from provisioning_agent.ldap.changes import watch
from provisioning_agent.ldap.connection import connect
from provisioning_agent.wire.errors import WireError

from .backoff import Backoff
from .bus import post_change
from .http import PortalHttp
from .retryable import Verdict, verdict
from .runtime import Access, Runtime

log = logging.getLogger(__name__)

# At most one message in so many seconds for each domain.
SPACING_S: Final = 5.0
# How long to wait for the controller before looking whether the agent stops, or a message has become due.
_PATIENCE_S: Final = 0.5
# While the portal does not want to hear of changes: how often to look whether it does again.
_OFF_S: Final = 5.0
# After a refusal that only a person can mend, such as a changed password.
_REFUSED_S: Final = 600.0


class ChangeListener:
    """Listens for one domain, in a thread of its own; a lost connection is made again."""

    def __init__(self, runtime: Runtime, domain: DomainConfig) -> None:
        self._runtime = runtime
        self._domain = domain
        self._backoff = Backoff()
        self._pending = False
        self._told_at = -SPACING_S
        self._listens: bool | None = None

    def run(self) -> None:
        """Until the agent stops."""
        runtime = self._runtime
        http = runtime.http()
        while (access := runtime.access.wait()) is not None:
            if not access.listen:
                self._note(listens=False)
                runtime.clock.wait(runtime.stop, _OFF_S)
                continue
            try:
                self._listen(http)
            except (WireError, AgentError, BerError) as error:
                self._lost(error)
        http.close()

    def _listen(self, http: PortalHttp) -> None:
        servers = self._runtime.servers
        with (
            connect(login_for(self._domain), servers) as connection,
            servers.judging(connection.endpoint),
        ):
            for changed in watch(connection, _PATIENCE_S):
                self._note(listens=True)
                self._heard(changed)
                if self._runtime.stop.is_set():
                    return
                access = self._runtime.access.last()
                if access is not None and not access.listen:
                    return
                if access is not None and self._is_due():
                    self._tell(http, access)

    def _note(self, *, listens: bool) -> None:
        if self._listens is not listens:
            event = "listening" if listens else "listening-off"
            log.info("event=%s domain=%s", event, self._domain.fqdn)
        self._listens = listens

    def _heard(self, changed: bool) -> None:
        self._pending |= changed
        if not changed:
            # The controller kept the search open: the connection is good.
            self._backoff.succeeded()

    def _is_due(self) -> bool:
        return self._pending and time.monotonic() - self._told_at >= SPACING_S

    def _tell(self, http: PortalHttp, access: Access) -> None:
        self._told_at, self._pending = time.monotonic(), False
        try:
            post_change(http, random.choice(access.urls), access.token, self._domain.fqdn)  # noqa: S311  # spreads load, no secret
        except WireError as error:
            self._not_told(access, error)
        else:
            log.debug("event=change-told domain=%s", self._domain.fqdn)

    def _not_told(self, access: Access, error: WireError) -> None:
        decision = verdict(error)
        log.warning("event=change-not-told domain=%s code=%s", self._domain.fqdn, error.code)
        self._pending = decision in (Verdict.RETRY, Verdict.NEW_TOKEN)
        if decision is Verdict.STOP:
            self._runtime.halt(error)
        elif decision is Verdict.NEW_TOKEN:
            self._runtime.access.discard(access)

    def _lost(self, error: WireError | AgentError | BerError) -> None:
        self._listens = None
        # What changed while nobody listened is told with the first word after.
        self._pending = True
        # A wrong password tried again and again would lock the account.
        delay = self._backoff.failed() if _may_pass(error) else _REFUSED_S
        code = "AdAnswerUnreadable" if isinstance(error, BerError) else error.code
        log.warning("event=listening-lost domain=%s code=%s retry_in=%.1f", self._domain.fqdn, code, delay)
        self._runtime.clock.wait(self._runtime.stop, delay)


def _may_pass(error: WireError | AgentError | BerError) -> bool:
    return error.retry if isinstance(error, WireError) else True

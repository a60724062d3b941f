"""The running agent looks after the passwords of its managed accounts: at start, then every hour."""

from __future__ import annotations

import logging
from typing import Final

from provisioning_agent.accounts.rotation import Outcome, look_after
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.wire.errors import WireError

from .runtime import Runtime

log = logging.getLogger(__name__)

_INTERVAL_S: Final = 3600.0


class PasswordKeeper:
    """One thread; what fails is tried again an hour later, and the password in use stays good meanwhile."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def run(self) -> None:
        """Until the agent stops."""
        managed = [domain for domain in self._runtime.config.domains if domain.managed]
        while managed and not self._runtime.stop.is_set():
            for domain in managed:
                self._look_after(domain)
            self._runtime.clock.wait(self._runtime.stop, _INTERVAL_S)

    def _look_after(self, domain: DomainConfig) -> None:
        now = self._runtime.clock.now()
        try:
            outcome = look_after(domain, now)
        except (AgentError, WireError) as error:
            log.warning(
                'event=password-not-changed domain=%s code=%s detail="%s"',
                domain.fqdn,
                error.code,
                error.detail,
            )
            self._runtime.status.failed(error.code, now)
            return
        if outcome is not Outcome.YOUNG:
            log.info('event=password-changed domain=%s how="%s"', domain.fqdn, outcome.value)

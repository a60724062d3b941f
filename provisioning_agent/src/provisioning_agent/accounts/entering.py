"""How to enter a configured domain, also in the moment in which its password changes."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap import discovery
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint
from provisioning_agent.ldap.tls import Trust

from .group_managed_sign_in import GroupManagedTickets, tickets_for
from .passwords import PasswordFiles

log = logging.getLogger(__name__)

# A nameserver that is silent must not hold up the controllers that are still to be tried.
_DNS_S: Final = 3.0


def login_for(domain: DomainConfig) -> DirectoryLogin:
    """How to enter a configured domain; the password is read from its file now, and again if it is refused.

    Of a group managed service account there is no file: its tickets are one object for the whole process.
    """
    if domain.keytab is not None:
        return _place(domain).by_tickets(domain.user, _tickets(domain, domain.keytab))

    def now() -> tuple[str, ...]:
        files = PasswordFiles(domain.password_file)
        # The pending one first: a commit between the two looks makes it the current one.
        found = (files.pending() if domain.managed else None, files.current())
        return tuple(password for password in found if password is not None)

    return replace(_place(domain), user=domain.user, password=domain.password(), others=now)


def _place(domain: DomainConfig) -> DirectoryLogin:
    """Where the domain is and what makes it trusted, without an account."""
    trust = Trust(domain.ca_file, domain.fingerprint)
    servers = tuple(Endpoint.parse(server) for server in domain.servers)
    return DirectoryLogin(servers, "", "", trust, discover=lambda: from_dns(domain, trust))


@cache
def _tickets(domain: DomainConfig, keytab: Path) -> GroupManagedTickets:
    return tickets_for(domain.user, keytab, _place(domain))


def from_dns(domain: DomainConfig, trust: Trust) -> tuple[Endpoint, ...]:
    """The controllers that DNS names now, none where it has no answer."""
    try:
        names = discovery.to_be_asked(domain.fqdn, domain.nameserver, trust, _DNS_S)
    except AgentError as error:
        log.warning('event=controllers-not-found domain=%s detail="%s"', domain.fqdn, error.detail)
        return ()
    log.info("event=controllers-found domain=%s controllers=%d", domain.fqdn, len(names))
    return tuple(Endpoint(name) for name in names)

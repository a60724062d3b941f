"""How to enter a configured domain, also in the moment in which its password changes."""

from __future__ import annotations

from provisioning_agent.config import DomainConfig
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint
from provisioning_agent.ldap.tls import Trust

from .passwords import PasswordFiles


def login_for(domain: DomainConfig) -> DirectoryLogin:
    """How to enter a configured domain; the password is read from its file now, and again if it is refused."""

    def now() -> tuple[str, ...]:
        files = PasswordFiles(domain.password_file)
        # The pending one first: a commit between the two looks makes it the current one.
        found = (files.pending() if domain.managed else None, files.current())
        return tuple(password for password in found if password is not None)

    return DirectoryLogin(
        servers=tuple(Endpoint.parse(server) for server in domain.servers),
        user=domain.user,
        password=domain.password(),
        trust=Trust(domain.ca_file, domain.fingerprint),
        others=now,
    )

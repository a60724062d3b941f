"""Signing in as the group managed service account: the host proves itself, is handed the password, and uses it.

The password lives in this process's memory and nowhere else. It is asked for again when the controller said so
(MS-ADTS §2.2.19, QueryPasswordInterval), or when the one at hand is refused: another host, or the controller itself,
may have rolled it over meanwhile. Around that moment one controller may still want the previous one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from provisioning_agent.kerberos import library, tickets
from provisioning_agent.kerberos.keytab import host_principal
from provisioning_agent.kerberos.tickets import Ticket, WrongPasswordError
from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import DirectoryConnection, DirectoryLogin, connect
from provisioning_agent.ldap.domain import describe
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.messages import Search
from provisioning_agent.security.sids import MalformedError

from .managed_password import ManagedPassword, decode

log = logging.getLogger(__name__)

ATTRIBUTE: Final = "msDS-ManagedPassword"
# A ticket with less left than this is not begun with.
SPARE_S: Final = 300.0


class HostTickets:
    """The host's own tickets, by the keys of its keytab."""

    def __init__(self, keytab: Path, principal: str) -> None:
        self._keytab = keytab
        self._principal = principal

    def current(self) -> Ticket:
        """A new one each time: it is needed once in weeks."""
        return tickets.from_keytab(self._keytab, self._principal)

    def forget(self) -> None:
        """Nothing is kept."""


class GroupManagedTickets:
    """Tickets of one account for all threads; ``fetch`` reads the password as the host."""

    def __init__(
        self,
        principal: str,
        fetch: Callable[[], ManagedPassword],
        clock: Callable[[], float] = time.monotonic,
        spare_s: float = SPARE_S,
    ) -> None:
        self._principal = principal
        self._fetch = fetch
        self._clock = clock
        self._spare_s = spare_s
        self._lock = threading.Lock()
        self._ticket: Ticket | None = None
        self._password: ManagedPassword | None = None
        self._ask_at = 0.0

    def current(self) -> Ticket:
        """The ticket kept, else a new one."""
        with self._lock:
            if self._ticket is None or self._ticket.seconds_left() < self._spare_s:
                self._ticket = self._new()
            return self._ticket

    def forget(self) -> None:
        """Begin anew, with the password asked for."""
        with self._lock:
            self._ticket = self._password = None

    def _new(self) -> Ticket:
        if self._password is not None and self._clock() < self._ask_at:
            try:
                return self._by(self._password)
            except WrongPasswordError:
                log.info("event=managed-password-rolled-over account=%s", self._principal)
        self._password = self._fetch()
        self._ask_at = self._clock() + self._password.query_after.total_seconds()
        log.info(
            "event=managed-password-read account=%s again_in=%.0f",
            self._principal,
            self._password.query_after.total_seconds(),
        )
        return self._by(self._password)

    def _by(self, password: ManagedPassword) -> Ticket:
        try:
            return tickets.from_password(self._principal, password.current)
        except WrongPasswordError:
            if password.previous is None:
                raise
            return tickets.from_password(self._principal, password.previous)


def tickets_for(user: str, keytab: Path, login: DirectoryLogin) -> GroupManagedTickets:
    """Tickets of ``name$@domain`` for a host with this keytab; ``login`` says how the domain is reached.

    ``KerberosMissing`` and ``KeytabUnreadable`` are told at once, the rest when a ticket is wanted.
    """
    as_host = host_login(user, keytab, login)
    name, _, domain = user.partition("@")

    def fetch() -> ManagedPassword:
        with connect(as_host) as connection:
            return read_password(connection, name, as_host.user)

    return GroupManagedTickets(f"{name}@{domain.upper()}", fetch)


def host_login(user: str, keytab: Path, login: DirectoryLogin) -> DirectoryLogin:
    """How the host itself enters the domain of ``name$@domain``."""
    library.load()
    host = host_principal(keytab, user.partition("@")[2].upper())
    return login.by_tickets(host, HostTickets(keytab, host))


def read_password(connection: DirectoryConnection, name: str, host: str) -> ManagedPassword:
    """The password of the account of this sAMAccountName, for the ``host`` that the connection belongs to."""
    root = describe(connection).root
    found = connection.search(Search(root, filters.equals("sAMAccountName", name), (ATTRIBUTE,)))
    if not found:
        raise DirectoryError("AccountUnknown", f"The domain has no account {name}; correct its name.")
    blob = found[0].first(ATTRIBUTE)
    if blob is None:
        raise DirectoryError(
            "ManagedPasswordDenied",
            f"{host} is not handed the password of {name}: it is not among "
            "PrincipalsAllowedToRetrieveManagedPassword, or the forest has no KDS root key that is in force.",
        )
    try:
        return decode(blob)
    except MalformedError as error:
        raise DirectoryError("AdAnswerUnreadable") from error

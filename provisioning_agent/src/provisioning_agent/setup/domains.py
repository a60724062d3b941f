"""The wizard's steps for one domain: controllers, trust, account, permissions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from provisioning_agent.accounts import group_managed, ordinary
from provisioning_agent.accounts.group_managed import HostAccount
from provisioning_agent.accounts.group_managed_sign_in import tickets_for
from provisioning_agent.accounts.ordinary import Wanted
from provisioning_agent.accounts.passwords import PasswordFiles
from provisioning_agent.errors import AgentError
from provisioning_agent.files import write_private
from provisioning_agent.hosting.layout import USER
from provisioning_agent.kerberos.keytab import host_principal
from provisioning_agent.ldap import discovery
from provisioning_agent.ldap.connection import DirectoryConnection, DirectoryLogin, Endpoint, connect
from provisioning_agent.ldap.domain import Controller, describe, require
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.tls import Trust, normalise_fingerprint
from provisioning_agent.permissions import by_hand, change
from provisioning_agent.permissions.change import Target
from provisioning_agent.permissions.domain_objects import find_account, place_dn, schema_guids
from provisioning_agent.permissions.plan import Held, State
from provisioning_agent.permissions.sets import SETS, Place

from .answers import FROM_DNS, DomainAnswers
from .certificate import judge
from .stages import Facts, Person, Stage, flat


class DomainSetup:
    """One domain; ``facts`` are shared with the wizard, which fills them in as steps are done."""

    def __init__(
        self, answers: DomainAnswers, nameserver: str | None, state: Path, facts: Facts, person: Person
    ) -> None:
        self.answers = answers
        self._nameserver = nameserver
        self._facts = facts
        self._person = person
        self._files = PasswordFiles(state / "secrets" / f"{answers.fqdn}.password")
        self._admin_password: str | None = None

    @property
    def password_file(self) -> Path:
        """Where the account's password lies."""
        return self._files.current_file

    @property
    def servers(self) -> tuple[str, ...]:
        """The controllers found."""
        return tuple(self._facts[self._name("controllers")]["servers"])

    @property
    def fingerprint(self) -> str | None:
        """The pinned certificate, None where a CA is trusted."""
        found: str | None = self._facts[self._name("trust")]["fingerprint"]
        return found

    def stages(self) -> list[Stage]:
        """In the order in which each needs the one before."""
        one, domain = self.answers, self.answers.fqdn
        where = flat((one.servers, self._nameserver))
        trusted = (*where, *flat((one.ca_file, one.fingerprint)))
        account = (*trusted, one.principal, *flat((one.account,)))
        return [
            Stage(
                self._name("controllers"),
                f"Find the controllers of {domain}: {', '.join(one.servers)}",
                lambda: [f"Resolve-DnsName -Type SRV _ldap._tcp.dc._msdcs.{domain}"],
                self._find_controllers,
                where,
            ),
            Stage(
                self._name("trust"),
                f"Check the certificate of {domain}'s controllers before a password is sent",
                lambda: [
                    f"openssl s_client -connect {domain}:636 | openssl x509 -noout -fingerprint -sha256"
                ],
                self._check_trust,
                trusted,
            ),
            Stage(
                self._name("account"), self._account_words(), self._account_lines, self._have_account, account
            ),
            Stage(
                self._name("permissions"),
                self._permission_words(),
                self._permission_lines,
                self._grant,
                (*account, *one.permissions, *flat((one.admin_user is None,))),
            ),
        ]

    def _name(self, step: str) -> str:
        return f"{step} {self.answers.fqdn}"

    def _find_controllers(self) -> dict[str, Any]:
        one, servers = self.answers, list[str]()
        trust = Trust(one.ca_file, one.fingerprint)
        for server in one.servers:
            if server == FROM_DNS:
                servers += discovery.to_be_asked(one.fqdn, self._nameserver, trust)
            else:
                servers.append(server)
        self._endpoints(servers)
        self._person.say(f"    in this order: {', '.join(dict.fromkeys(servers))}")
        return {"servers": list(dict.fromkeys(servers))}

    def _check_trust(self) -> dict[str, Any]:
        one = self.answers
        try:
            pinned = normalise_fingerprint(one.fingerprint) if one.fingerprint else None
        except ValueError as error:
            raise AgentError("FingerprintInvalid") from error
        if one.ca_file is not None and not one.ca_file.is_file():
            raise AgentError("CaFileInvalid", f"{one.ca_file} can not be read.")
        return {"fingerprint": judge(self._endpoints(self.servers), Trust(one.ca_file, pinned), self._person)}

    def _account_words(self) -> str:
        one = self.answers
        if one.account.keytab is not None:
            return (
                f"Have the group managed service account {one.principal}, and sign in with it from this host"
            )
        if one.account.managed:
            return f"Have the managed account {one.principal}, made by {one.admin_user} whose password is not kept"
        return f"Check the account {one.principal} and keep its password (mode 0600)"

    def _account_lines(self) -> list[str]:
        account = self.answers.account
        if account.keytab is not None:
            return group_managed.by_hand(account.name, self.answers.fqdn, account.host or "HOST$")
        return ordinary.by_hand(_imagined(self.answers.fqdn), self._wanted()) if account.managed else []

    def _have_account(self) -> dict[str, Any]:
        if self.answers.account.keytab is not None:
            return self._group_managed(self.answers.account.keytab)
        if not self.answers.account.managed:
            return self._existing()
        if self.password_file.exists() and self._opens(self._files.current()):
            self._person.say("    it is there, and its password is the one kept here")
            return {}
        with self._as_administrator() as (connection, controller):
            made = ordinary.ensure(connection, controller, self._wanted(), self._files)
        self._person.say(f"    {made.value}")
        return {}

    def _group_managed(self, keytab: Path) -> dict[str, Any]:
        one = self.answers
        principal = host_principal(keytab, one.fqdn.upper())
        if one.admin_user is not None:
            host = one.account.host or principal.partition("@")[0]
            with self._as_administrator() as (connection, controller):
                found = find_account(connection, controller, host)
                account = HostAccount(found.name, found.sid)
                made = group_managed.ensure(connection, controller, one.account.name, account)
            self._person.say(f"    {made.value}")
        login = self._login(one.principal, "")
        with connect(
            login.by_tickets(one.principal, tickets_for(one.principal, keytab, login))
        ) as connection:
            require(describe(connection), one.fqdn)
        self._person.say(f"    {principal} is handed its password, and signs in with it")
        self._person.say(f"    the service has to read the keytab too: setfacl -m u:{USER}:r {keytab}")
        return {}

    def _existing(self) -> dict[str, Any]:
        one = self.answers
        file = one.account.password_file or Path("-")
        password = self._person.secret(file, f"Password of {one.principal}")
        with connect(self._login(one.principal, password)) as connection:
            require(describe(connection), one.fqdn)
        write_private(self.password_file, password.encode())
        return {}

    def _permission_words(self) -> str:
        one = self.answers
        words = f"Grant {one.principal} in {one.fqdn}: {', '.join(one.permissions) or 'nothing'}"
        return f"{words}; let only administrators control it" if one.account.is_ours else words

    def _permission_lines(self) -> list[str]:
        one, controller = self.answers, _imagined(self.answers.fqdn)
        dns = {place: place_dn(controller, place) for place in Place}
        lines: list[str] = []
        for name in one.permissions:
            missing = [Held(right, State.MISSING, None) for right in SETS[name]]
            lines += by_hand.granting_lines(missing, dns, one.trustee)
        if one.account.keytab is not None:
            dn = f"CN={one.account.name},CN=Managed Service Accounts,{controller.root}"
            lines += by_hand.restricting_lines(dn, f"{one.account.name}$", one.fqdn)
        if one.account.managed:
            lines += by_hand.restricting_lines(self._wanted().dn(controller), one.account.name, one.fqdn)
        return list(dict.fromkeys(lines))

    def _grant(self) -> dict[str, Any]:
        one = self.answers
        if one.admin_user is None:
            self._person.say("    no administrator is named, so one has to run these lines:")
            for line in self._permission_lines():
                self._person.say(f"    {line}")
            return {}
        with self._as_administrator() as (connection, controller):
            account = find_account(connection, controller, one.principal)
            target = Target(connection, controller, account, schema_guids(connection, controller.schema))
            for name in one.permissions:
                changed = change.grant(target, name)
                self._person.say(f"    {name}: {'granted' if changed else 'was granted already'}")
            if one.account.is_ours:
                change.restrict(target)
        return {}

    @contextmanager
    def _as_administrator(self) -> Iterator[tuple[DirectoryConnection, Controller]]:
        one = self.answers
        if one.admin_user is None:
            raise AgentError("AdministratorMissing")
        if self._admin_password is None:
            self._admin_password = self._person.secret(
                one.admin_password_file, f"Password of {one.admin_user}, used now and not kept"
            )
        with connect(self._login(one.admin_user, self._admin_password)) as connection:
            controller = describe(connection)
            require(controller, one.fqdn)
            yield connection, controller

    def _opens(self, password: str) -> bool:
        try:
            connect(self._login(self.answers.principal, password)).close()
        except DirectoryError as error:
            if error.code != "AdBindFailed":
                raise
            return False
        return True

    def _login(self, user: str, password: str) -> DirectoryLogin:
        trust = Trust(None if self.fingerprint else self.answers.ca_file, self.fingerprint)
        return DirectoryLogin(self._endpoints(self.servers), user, password, trust)

    def _endpoints(self, servers: list[str] | tuple[str, ...]) -> tuple[Endpoint, ...]:
        try:
            return tuple(Endpoint.parse(server) for server in servers)
        except ValueError as error:
            raise AgentError("ServerInvalid", f"{error}.") from error

    def _wanted(self) -> Wanted:
        return Wanted(self.answers.account.name, self.answers.account.container)


def _imagined(fqdn: str) -> Controller:
    """A controller as it will be, for lines that are printed without asking one."""
    root = ",".join(f"DC={label}" for label in fqdn.split("."))
    return replace(_NOBODY, root=root, forest_root=root)


_NOBODY = Controller("", "", "", "", "", "")

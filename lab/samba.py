"""A throw-away Active Directory forest with one domain controller: Samba on a loopback address."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from ldap3 import BASE, Connection, Server, Tls
from ldap3.core.exceptions import LDAPException

from lab import packages, smb_conf
from lab.addresses import require_free
from lab.certificates import TlsFiles, fingerprint, issue_server_certificate
from lab.errors import LabError
from lab.population import Entry
from lab.processes import Child, run

SYSTEM_PYTHON = "/usr/bin/python3"
OFFLINE_PROGRAM = Path(__file__).with_name("samba_offline.py")
START_SECONDS = 60.0
Right = Literal["get-changes", "get-changes-all", "read-deleted"]


@dataclass(frozen=True)
class Account:
    """A directory account and its password."""

    name: str
    dn: str
    user_principal_name: str
    password: str = field(repr=False)


class SambaForest:
    """One forest, one domain, one domain controller, all in one directory and on one loopback address.

    Used as a context manager it starts (provisioning first where needed) and stops; the directory stays.
    """

    def __init__(
        self,
        realm: str,
        netbios: str,
        address: str,
        directory: Path,
        *,
        host: str = "dc1",
        backend: Literal["tdb", "mdb"] = "tdb",
        prefix: Sequence[str] = (),
    ) -> None:
        """``prefix`` is what every command of Samba is started by (lab.newer_samba)."""
        self.realm = realm.upper()
        self.netbios = netbios.upper()
        self.address = address
        self.directory = directory.absolute()
        self.host = host.lower()
        self.backend = backend
        self.prefix = tuple(prefix)
        self.server = Child([*self.prefix, *_SAMBA, "-s", str(self.smb_conf)], self.directory / "server.log")

    @property
    def dns_name(self) -> str:
        """DNS name of the domain, which is also the forest's."""
        return self.realm.lower()

    @property
    def base_dn(self) -> str:
        """DN of the domain's root."""
        return ",".join(f"DC={label}" for label in self.dns_name.split("."))

    @property
    def host_name(self) -> str:
        """Full name of the domain controller, as its certificate has it."""
        return f"{self.host}.{self.dns_name}"

    @property
    def ldap_uri(self) -> str:
        """LDAPS URI by address: the name is in no DNS; the certificate carries both."""
        return f"ldaps://{self.address}:636"

    @property
    def smb_conf(self) -> Path:
        """Samba's configuration file."""
        return self.directory / "etc/smb.conf"

    @property
    def ca_file(self) -> Path:
        """PEM certificate of the CA that issued the domain controller's certificate."""
        return self._tls.ca

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the domain controller's certificate, lower-case hex."""
        return fingerprint(self._tls.certificate)

    @property
    def administrator(self) -> Account:
        """The domain's Administrator; LabError before the forest is provisioned."""
        return self._accounts()["Administrator"]

    @property
    def accounts_file(self) -> Path:
        """JSON file, readable by its owner only, with the accounts made here and their passwords."""
        return self.directory / "accounts.json"

    @property
    def provisioned(self) -> bool:
        """Whether the directory holds a complete forest."""
        return self.accounts_file.exists()

    def provision(self) -> None:
        """Create the forest's databases, certificate and Administrator's password. Takes 4–6 s."""
        _require_root()
        packages.ensure(*packages.SAMBA)
        if self.provisioned:
            raise LabError("LabWrongState", f"{self.directory} already holds a forest.")
        self.directory.mkdir(parents=True, exist_ok=True)
        administrator = self._account("Administrator", f"CN=Administrator,CN=Users,{self.base_dn}")
        run([*self.prefix, *self._provision_command(administrator.password)], secret=administrator.password)
        self.adopt()
        issue_server_certificate(self._tls.ca.parent, self.host_name, self.address)
        self._remember(administrator)

    def adopt(self) -> None:
        """Write smb.conf for this directory and address; also makes a copied forest run at a new place."""
        (self.directory / "run").mkdir(parents=True, exist_ok=True)
        self.smb_conf.parent.mkdir(exist_ok=True)
        text = smb_conf.render(
            self.directory, realm=self.realm, netbios=self.netbios, host=self.host, address=self.address
        )
        self.smb_conf.write_text(text)

    def renew_certificate(self) -> None:
        """Replace CA and certificate by new ones; a running server takes them at its next start."""
        issue_server_certificate(self._tls.ca.parent, self.host_name, self.address)

    def start(self) -> None:
        """Start the server and wait until it answers over LDAPS. Takes about a second."""
        _require_root()
        if not self.provisioned:
            self.provision()
        require_free(self.address)
        self.server.start()
        try:
            self.server.wait_until(self.answers, seconds=START_SECONDS)
        except LabError:
            self.server.stop()
            raise

    def stop(self) -> None:
        """Stop the server and every child of it; nothing happens when it is not running."""
        self.server.stop()

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def destroy(self) -> None:
        """Stop the server and remove the forest from disk."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def answers(self) -> bool:
        """Whether the domain controller answers a rootDSE search over verified TLS."""
        try:
            with Connection(self._ldap_server(), receive_timeout=5) as connection:
                return bool(
                    connection.search("", "(objectClass=*)", BASE, attributes=["defaultNamingContext"])
                )
        except LDAPException:
            return False

    def connect(self, account: Account | None = None) -> Connection:
        """A bound LDAPS connection as the account (Administrator when None); errors raise.

        The caller closes it, best with ``with``.
        """
        who = account or self.administrator
        return Connection(
            self._ldap_server(), who.user_principal_name, who.password, auto_bind=True, raise_exceptions=True
        )

    def add_offline(self, entries: Iterable[Entry]) -> int:
        """Add entries straight to the database, running or not; returns how many.

        500–800 entries a second. LabError names the first entry that is refused.
        """
        if not self.provisioned:
            self.provision()
        lines = (json.dumps(asdict(entry)) + "\n" for entry in entries)
        return int(self._offline("fill", lines))

    def create_service_account(
        self,
        name: str = "isthmus-agent",
        rights: Iterable[Right] = ("get-changes", "read-deleted"),
    ) -> Account:
        """A plain user with the named rights on the domain, for an agent to bind as.

        ``get-changes`` is *Replicating Directory Changes*, ``get-changes-all`` the same with secrets
        (password hashes), ``read-deleted`` lets it list the Deleted Objects container.
        """
        account = self._account(name, f"CN={name},CN=Users,{self.base_dn}")
        attributes = {
            "objectClass": ["user"],
            "sAMAccountName": [name],
            "userPrincipalName": [account.user_principal_name],
            "userAccountControl": [str(0x200 | 0x10000)],
        }
        self.add_offline([Entry(account.dn, attributes, account.password)])
        self._offline("grant", [json.dumps({"account": name, "rights": list(rights)})])
        self._remember(account)
        return account

    def tool(self, *words: str) -> str:
        """Run ``samba-tool`` on the databases of this forest; returns what it prints."""
        return run([*self.prefix, "samba-tool", *words, f"--configfile={self.smb_conf}"])

    def account(self, name: str) -> Account:
        """An account created here before, with its password."""
        return self._accounts()[name]

    def __enter__(self) -> SambaForest:
        if not self.server.running:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _tls(self) -> TlsFiles:
        tls = self.directory / "private/tls"
        return TlsFiles(tls / "ca.pem", tls / "cert.pem", tls / "key.pem")

    def _accounts(self) -> Mapping[str, Account]:
        if not self.provisioned:
            raise LabError("LabWrongState", f"{self.directory} holds no forest yet.")
        stored = json.loads(self.accounts_file.read_text())
        return {name: Account(**values) for name, values in stored.items()}

    def _remember(self, account: Account) -> None:
        known = dict(self._accounts()) if self.provisioned else {}
        known[account.name] = account
        descriptor = os.open(self.accounts_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({name: asdict(each) for name, each in known.items()}, file, indent=1)

    def _account(self, name: str, dn: str) -> Account:
        # Fixed start and end: complexity rules are met whatever the random middle is.
        password = f"Lab{secrets.token_urlsafe(18)}1!"
        return Account(name, dn, f"{name}@{self.dns_name}", password)

    def _provision_command(self, password: str) -> list[str]:
        return [
            "samba-tool",
            "domain",
            "provision",
            f"--targetdir={self.directory}",
            f"--realm={self.realm}",
            f"--domain={self.netbios}",
            "--server-role=dc",
            # No DNS server: names are not looked up here, and port 53 stays free.
            "--dns-backend=NONE",
            f"--backend-store={self.backend}",
            f"--adminpass={password}",
            f"--host-name={self.host}",
            f"--host-ip={self.address}",
            "--use-rfc2307",
            *smb_conf.provision_options(self.directory, self.address),
        ]

    def _offline(self, action: str, lines: Iterable[str]) -> str:
        program = [SYSTEM_PYTHON, "-I", str(OFFLINE_PROGRAM), action, str(self.smb_conf)]
        return run([*self.prefix, *program], stdin=lines)

    def _ldap_server(self) -> Server:
        tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(self.ca_file))
        return Server(self.address, port=636, use_ssl=True, tls=tls, connect_timeout=10)


# In the foreground and its own process group, output to the log; ends when its standard input closes.
_SAMBA = ("samba", "--interactive", "--model=prefork", "--debug-stdout", "--debuglevel=1")


def _require_root() -> None:
    if os.geteuid() != 0:
        raise LabError("LabNeedsRoot", "A Samba domain controller needs the root user.")

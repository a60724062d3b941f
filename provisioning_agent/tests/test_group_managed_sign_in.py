"""Signing in as a group managed service account, on a controller that computes its password (Samba 4.21 or newer)."""

from __future__ import annotations

import base64
import json
import os
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ldap3 import MODIFY_ADD, MODIFY_REPLACE

from lab import kerberos, newer_samba
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.agent.reading import login_to, question
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent import config as configs
from provisioning_agent.accounts.group_managed_sign_in import (
    GroupManagedTickets,
    host_login,
    read_password,
    tickets_for,
)
from provisioning_agent.accounts.managed_password import ManagedPassword
from provisioning_agent.errors import AgentError
from provisioning_agent.kerberos import keytab as keytabs
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.domain import describe
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.wire.pages import PAGE_SCHEMA

pytestmark = pytest.mark.forest
ACCOUNT = "provAgentgMSA$"


@pytest.fixture(scope="module")
def joined_forest(make_forest: ForestFactory) -> SambaForest:
    """A forest with two joined hosts, and with the service name that a controller registers for itself."""
    forest = make_forest("joined.example", "JOINED", prefix=newer_samba.command_prefix())
    with forest.connect() as admin:
        controller = f"CN={forest.host.upper()},OU=Domain Controllers,{forest.base_dn}"
        admin.modify(controller, {"servicePrincipalName": [(MODIFY_ADD, [f"ldap/{forest.host_name}"])]})
        for name in ("HOST1", "HOST2"):
            dn = f"CN={name},CN=Computers,{forest.base_dn}"
            admin.add(dn, ["computer"], {"sAMAccountName": f"{name}$", "userAccountControl": 0x1020})
            set_password(admin, dn, base64.b64encode(os.urandom(30)).decode())
            admin.modify(dn, {"userAccountControl": [(MODIFY_REPLACE, [0x1000])]})
    return forest


def set_password(admin: Any, dn: str, password: str) -> None:
    admin.modify(dn, {"unicodePwd": [(MODIFY_REPLACE, [f'"{password}"'.encode("utf-16-le")])]})


@pytest.fixture(autouse=True)
def joined(joined_forest: SambaForest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This process and those it starts are on a host with Kerberos."""
    library = str(kerberos.library())
    monkeypatch.syspath_prepend(library)
    monkeypatch.setenv("PYTHONPATH", library)
    monkeypatch.setenv("KRB5_CONFIG", str(kerberos.configure(tmp_path / "krb5.conf", joined_forest)))


@pytest.fixture
def keytab(joined_forest: SambaForest, tmp_path: Path) -> Path:
    """The first host's."""
    return kerberos.export_keytab(joined_forest, "HOST1$", tmp_path / "host1.keytab")


@dataclass
class Joined:
    """The host, and how to set it up."""

    host: AgentHost
    keytab: Path
    directory: Path

    def configure(self, **changes: Any) -> tuple[int, str]:
        """The wizard, with an administrator at hand."""
        forest, admin_file = self.host.forest, self.directory / "admin"
        admin_file.write_text(forest.administrator.password)
        domain = {
            "domain": forest.dns_name,
            "servers": [forest.address],
            "ca_file": str(forest.ca_file),
            "admin_user": forest.administrator.user_principal_name,
            "admin_password_file": str(admin_file),
            "account": {"kind": "gmsa", "keytab": str(self.keytab)},
        }
        answers = {
            "portal": self.host.portal.url,
            "portal_ca_file": str(self.host.portal.tls.ca),
            "token_file": str(self.host.token_file),
            "domains": [domain | changes],
        }
        file = self.directory / "answers.yaml"
        file.write_text(yaml.safe_dump(answers))
        done = self.host.command("configure", f"--answers={file}", f"--state-dir={self.host.state}")
        return done.returncode, done.stdout + done.stderr

    def doctor(self) -> dict[str, dict[str, Any]]:
        """The checks of the directory by name."""
        done = self.host.command("doctor", "--json", f"--state-dir={self.host.state}")
        checks = json.loads(done.stdout)["checks"]
        return {check["name"]: check for check in checks if check["family"] == "directory"}


@pytest.fixture
def machine(portal: Portal, joined_forest: SambaForest, keytab: Path, tmp_path: Path) -> Iterator[Joined]:
    host = AgentHost(portal, joined_forest, tmp_path)
    yield Joined(host, keytab, tmp_path)
    host.stop_all()


def managed_password(forest: SambaForest, keytab: Path) -> ManagedPassword:
    host = host_login(f"{ACCOUNT}@{forest.dns_name}", keytab, login_to(forest))
    with connect(host) as connection:
        return read_password(connection, ACCOUNT, host.user)


def spellings(password: bytes) -> list[bytes]:
    """How a password could turn up in a file."""
    text = password.decode("utf-16-le", "replace")
    return [password[:32], text.encode()[:32], base64.b64encode(password)[:32], password.hex()[:32].encode()]


def test_from_the_wizard_to_an_answer_with_no_password_on_disk(machine: Joined, portal: Portal) -> None:
    code, said = machine.configure()
    assert code == 0, said
    host, forest = machine.host, machine.host.forest
    domain = configs.load(host.state).domains[0]
    assert (domain.user, domain.keytab) == (f"{ACCOUNT}@{forest.dns_name}", machine.keytab)
    assert not domain.password_file.exists()
    host.run()
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(30), host.text()
    assert not queued.failures
    assert queued.pages[max(queued.pages)][PAGE_SCHEMA]["mode"] == "initial"
    password = managed_password(forest, machine.keytab)
    written = b"".join(path.read_bytes() for path in machine.directory.rglob("*") if path.is_file())
    assert b"managed-password-read" in written
    assert not [one for one in spellings(password.current) if one in written]
    checks = machine.doctor()
    told = {name: checks[name]["status"] for name in ("keytab", "ticket", "managed-password", "bind")}
    assert told == dict.fromkeys(told, "ok")
    assert "AES256" in checks["keytab"]["found"]
    assert checks["get-changes"]["found"] == "allowed"


def test_a_host_that_may_not_have_the_password_is_told_so(
    machine: Joined, joined_forest: SambaForest, tmp_path: Path
) -> None:
    code, said = machine.configure()
    assert code == 0, said
    stranger = kerberos.export_keytab(joined_forest, "HOST2$", tmp_path / "host2.keytab")
    user = f"{ACCOUNT}@{joined_forest.dns_name}"
    login = login_to(joined_forest)
    with pytest.raises(DirectoryError) as refused:
        tickets_for(user, stranger, login).current()
    assert refused.value.code == "ManagedPasswordDenied"
    assert "HOST2$@JOINED.EXAMPLE" in refused.value.detail
    path = machine.host.state / "agent.json"
    path.write_text(path.read_text().replace(str(machine.keytab), str(stranger)))
    check = machine.doctor()["managed-password"]
    assert (check["status"], "isthmus-agent gmsa" in check["remedy"]) == ("fail", True)


def test_the_password_rolls_over_without_a_gap(joined_forest: SambaForest) -> None:
    first, second, third = (letters() for _ in range(3))
    hour = timedelta(hours=1)
    handed = iter(
        [
            ManagedPassword(first, None, hour, hour),
            ManagedPassword(second, first, hour, hour),
            ManagedPassword(third, second, hour, hour),
        ]
    )
    dn = f"CN=roller,CN=Users,{joined_forest.base_dn}"
    now = 0.0
    # A ticket that is never good for long enough is made anew each time.
    source = GroupManagedTickets(
        f"roller@{joined_forest.realm}", lambda: next(handed), lambda: now, spare_s=1e9
    )
    with joined_forest.connect() as admin:
        admin.add(dn, ["user"], {"sAMAccountName": "roller", "userAccountControl": 0x222})
        set_password(admin, dn, first.decode("utf-16-le"))
        admin.modify(dn, {"userAccountControl": [(MODIFY_REPLACE, [0x200])]})
        source.current()
        # Changed elsewhere: the one at hand is refused, so it is asked for.
        set_password(admin, dn, second.decode("utf-16-le"))
        source.current()
        now = 3600.0
        # Due: the new one is not known here yet, the previous one still is.
        entered = joined_forest.dns_name
        with connect(login_to(joined_forest).by_tickets(f"roller@{entered}", source)) as connection:
            assert describe(connection).fqdn == entered
    with pytest.raises(StopIteration):
        next(handed)


def letters() -> bytes:
    """256 octets like a computed password, but that LDAP takes from an administrator."""
    return "".join(random.SystemRandom().choices(string.ascii_letters + "ÄÖÜßéñЖ漢字", k=128)).encode(
        "utf-16-le"
    )


def test_without_a_kerberos_server_it_is_said(
    joined_forest: SambaForest, keytab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = kerberos.configure(tmp_path / "dead.conf", joined_forest)
    file.write_text(file.read_text().replace(joined_forest.address, "127.0.0.251"))
    monkeypatch.setenv("KRB5_CONFIG", str(file))
    with pytest.raises(DirectoryError) as refused:
        managed_password(joined_forest, keytab)
    assert (refused.value.code, refused.value.retry) == ("KdcUnreachable", True)


def test_without_the_extra_it_is_said_how_to_get_it(machine: Joined, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH")
    code, said = machine.configure(admin_user=None)
    assert (code, "KerberosMissing" in said, "isthmus-agent[kerberos]" in said) == (4, True, True)


def test_what_is_no_keytab_of_a_host_is_refused(
    keytab: Path, joined_forest: SambaForest, tmp_path: Path
) -> None:
    assert keytabs.host_principal(keytab, joined_forest.realm) == "HOST1$@JOINED.EXAMPLE"
    content = keytab.read_bytes()
    person = kerberos.export_keytab(joined_forest, "Administrator", tmp_path / "person.keytab").read_bytes()
    for number, broken in enumerate((b"", b"PEM", content[:-5], content[:2], person)):
        file = tmp_path / f"broken{number}"
        file.write_bytes(broken)
        with pytest.raises(AgentError) as refused:
            keytabs.host_principal(file, joined_forest.realm)
        assert refused.value.code == "KeytabUnreadable"

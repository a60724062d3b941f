"""The managed account on a real domain controller: made, found again, its password changed without a gap."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ldap3 import MODIFY_REPLACE

from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent import config as configs
from provisioning_agent.accounts import passwords
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.accounts.ordinary import Made, Wanted, ensure, is_name
from provisioning_agent.accounts.passwords import PasswordFiles
from provisioning_agent.accounts.rotation import Outcome, look_after, opens, rotate
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import DirectoryConnection, DirectoryLogin, Endpoint, connect
from provisioning_agent.ldap.domain import describe
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.tls import Trust
from provisioning_agent.ldap.writing import change_password
from provisioning_agent.permissions.change import Target, restrict
from provisioning_agent.permissions.domain_objects import find_account

pytestmark = pytest.mark.forest
NAME = "isthmus-managed"


@pytest.fixture(scope="module")
def own_forest(make_forest: ForestFactory) -> SambaForest:
    """A forest in which a password may be changed more than once a day, and the old one ends at once.

    By default AD (and Samba) let the old one in for another 60 minutes, which would hide every gap.
    """
    found = make_forest("managed.example", "MANAGED", start=False)
    conf = found.smb_conf.read_text()
    found.smb_conf.write_text(conf.replace("[global]", "[global]\n    old password allowed period = 0", 1))
    found.start()
    with found.connect() as admin:
        admin.modify(found.base_dn, {"minPwdAge": [(MODIFY_REPLACE, [0])]})
    return found


@pytest.fixture
def connection(own_forest: SambaForest) -> Iterator[DirectoryConnection]:
    """As the domain's administrator."""
    who = own_forest.administrator
    servers = (Endpoint(own_forest.address),)
    login = DirectoryLogin(servers, who.user_principal_name, who.password, Trust(own_forest.ca_file))
    with connect(login) as opened:
        yield opened


@pytest.fixture
def domain(own_forest: SambaForest, connection: DirectoryConnection, tmp_path: Path) -> DomainConfig:
    """A domain entered with a managed account whose password is fresh."""
    file = tmp_path / "secrets" / "managed.password"
    ensure(connection, describe(connection), Wanted(NAME), PasswordFiles(file))
    return DomainConfig(
        fqdn=own_forest.dns_name,
        netbios=own_forest.netbios,
        forest=own_forest.dns_name,
        sid="S-1-5-21-1-2-3",
        servers=(own_forest.address,),
        user=f"{NAME}@{own_forest.dns_name}",
        password_file=file,
        ca_file=own_forest.ca_file,
        managed=True,
    )


@pytest.fixture
def files(domain: DomainConfig) -> PasswordFiles:
    return PasswordFiles(domain.password_file)


def dn_of(domain: DomainConfig, forest: SambaForest) -> str:
    return f"CN={domain.user.partition('@')[0]},CN=Users,{forest.base_dn}"


def in_a_month() -> datetime:
    return datetime.now(UTC) + timedelta(days=30, minutes=1)


def test_a_password_is_120_characters_and_never_the_same() -> None:
    drawn = {passwords.generate() for _ in range(200)}
    assert len(drawn) == 200
    for password in drawn:
        assert len(password) == 120
        assert all(re.search(kind, password) for kind in ("[A-Z]", "[a-z]", "[0-9]"))
        assert not set(password) & set("\"'\\$`\n ")


def test_an_account_is_made_for_aes_alone_and_can_not_be_delegated(
    own_forest: SambaForest, domain: DomainConfig
) -> None:
    with own_forest.connect() as admin:
        admin.search(
            own_forest.base_dn,
            f"(sAMAccountName={NAME})",
            attributes=["userAccountControl", "msDS-SupportedEncryptionTypes", "userPrincipalName"],
        )
        found = admin.entries[0]
    assert found["msDS-SupportedEncryptionTypes"].value == 24
    assert int(found["userAccountControl"].value) == 0x200 | 0x10000 | 0x100000
    assert found["userPrincipalName"].value == domain.user
    with connect(login_for(domain)) as opened:
        assert describe(opened).fqdn == own_forest.dns_name


def test_an_account_made_before_is_found_and_reused(
    connection: DirectoryConnection, domain: DomainConfig, tmp_path: Path
) -> None:
    elsewhere = PasswordFiles(tmp_path / "other-host.password")
    assert ensure(connection, describe(connection), Wanted(NAME), elsewhere) is Made.REUSED
    assert opens(domain, elsewhere.current())
    assert not opens(domain, domain.password())


def test_an_account_of_somebody_else_is_never_taken_over(
    own_forest: SambaForest, connection: DirectoryConnection, tmp_path: Path
) -> None:
    with pytest.raises(DirectoryError) as refused:
        ensure(connection, describe(connection), Wanted("Administrator"), PasswordFiles(tmp_path / "p"))
    assert refused.value.code == "AccountNotOurs"
    assert not list(tmp_path.iterdir())
    with own_forest.connect() as admin:
        assert admin.bound


def test_a_young_password_is_left_alone(domain: DomainConfig, files: PasswordFiles) -> None:
    before = files.current()
    assert look_after(domain, datetime.now(UTC)) is Outcome.YOUNG
    assert files.current() == before
    assert files.pending() is None


def test_after_a_month_the_account_changes_its_own_password(
    domain: DomainConfig, files: PasswordFiles
) -> None:
    before = files.current()
    assert look_after(domain, in_a_month()) is Outcome.ROTATED
    assert files.current() != before
    assert opens(domain, files.current())
    assert not opens(domain, before)
    assert files.current_file.stat().st_mode & 0o777 == 0o600


def test_an_account_restricted_to_administrators_still_changes_its_password(
    connection: DirectoryConnection, domain: DomainConfig, files: PasswordFiles
) -> None:
    controller = describe(connection)
    account = find_account(connection, controller, domain.user)
    restrict(Target(connection, controller, account, {}))
    before = files.current()
    assert look_after(domain, in_a_month()) is Outcome.ROTATED
    assert not opens(domain, before)


def test_a_crash_between_storing_and_changing_is_taken_up_with_the_same_password(
    domain: DomainConfig, files: PasswordFiles
) -> None:
    before, stored = files.current(), files.propose()
    with connect(login_for(domain)):
        assert opens(domain, before)
    assert not opens(domain, stored)
    assert look_after(domain, datetime.now(UTC)) is Outcome.ROTATED
    assert (files.current(), files.pending()) == (stored, None)
    assert opens(domain, stored)


def test_a_crash_between_changing_and_noting_it_locks_nobody_out(
    domain: DomainConfig, files: PasswordFiles, own_forest: SambaForest
) -> None:
    before, stored = files.current(), files.propose()
    with connect(login_for(domain)) as opened:
        change_password(opened, dn_of(domain, own_forest), before, stored)
    assert not opens(domain, before)
    # Both are tried, as every command and every answer does.
    with connect(login_for(domain)):
        pass
    assert look_after(domain, datetime.now(UTC)) is Outcome.TAKEN_UP
    assert (files.current(), files.pending()) == (stored, None)


def test_entering_never_fails_while_passwords_change(
    domain: DomainConfig, files: PasswordFiles, own_forest: SambaForest
) -> None:
    ended, entered = threading.Event(), [1]
    failures: list[DirectoryError | AgentError] = []

    def keep_entering() -> None:
        while not ended.is_set():
            try:
                connect(login_for(domain)).close()
            except (DirectoryError, AgentError) as error:
                failures.append(error)
            entered.append(1)

    threads = [threading.Thread(target=keep_entering) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(8):
        rotate(domain, dn_of(domain, own_forest))
        # Every thread has come in with this one before the next: they are 30 days apart in earnest.
        seen = len(entered)
        while len(entered) < seen + 6 and not failures:
            time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(entered) > 40


def test_a_refused_change_leaves_everything_as_it_was(
    domain: DomainConfig, files: PasswordFiles, own_forest: SambaForest
) -> None:
    before = files.current()
    with own_forest.connect() as admin:
        admin.modify(own_forest.base_dn, {"minPwdAge": [(MODIFY_REPLACE, [-(10**7) * 86400])]})
        try:
            with pytest.raises(DirectoryError) as refused:
                look_after(domain, in_a_month())
        finally:
            admin.modify(own_forest.base_dn, {"minPwdAge": [(MODIFY_REPLACE, [0])]})
    assert refused.value.code == "AdWriteRefused"
    stored = files.pending()
    assert stored is not None
    assert stored not in str(refused.value)
    assert files.current() == before
    assert opens(domain, before)
    assert look_after(domain, in_a_month()) is Outcome.ROTATED
    assert files.current() == stored


def test_a_running_agent_takes_up_what_a_crash_left(
    portal: Portal, own_forest: SambaForest, domain: DomainConfig, files: PasswordFiles, tmp_path: Path
) -> None:
    host = AgentHost(portal, own_forest, tmp_path)
    done = host.command(
        *host.enrolling(bind_user=domain.user, password_file=str(domain.password_file)), "--managed"
    )
    assert done.returncode == 0, done.stderr
    enrolled = configs.load(host.state).domains[0]
    mine = PasswordFiles(enrolled.password_file)
    before, stored = mine.current(), mine.propose()
    with connect(login_for(enrolled)) as opened:
        change_password(opened, dn_of(domain, own_forest), before, stored)
    assert host.status()["domains"][0]["reachable"]
    process = host.run()
    try:
        host.wait_for_log("event=password-changed domain=managed.example")
    finally:
        host.stop(process)
    assert (mine.current(), mine.pending()) == (stored, None)
    assert stored not in host.text()
    assert before not in host.text()


@pytest.mark.parametrize(
    ("name", "good"),
    [("isthmus-dc1", True), ("a" * 20, True), ("a" * 21, False), ("", False), ("a/b", False), ("a.", False)],
)
def test_names_of_accounts(name: str, good: bool) -> None:
    assert is_name(name) is good

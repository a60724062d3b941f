"""``isthmus-agent configure`` against a real domain controller: from nothing to the first bootstrap."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.agent.dns_server import DnsServer, Record
from lab.agent.host import COMMAND, AgentHost
from lab.agent.portal_server import Portal, Queued, hang_up
from lab.agent.reading import question
from lab.agent.serving import serving
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent import config as configs
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap import filters
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.dirsync import current_cookie
from provisioning_agent.ldap.discovery import controllers
from provisioning_agent.setup.answers import parse

pytestmark = pytest.mark.forest
NAME = "isthmus-wizard"


@pytest.fixture(scope="module")
def bare_forest(make_forest: ForestFactory) -> SambaForest:
    """A forest whose accounts were given nothing."""
    return make_forest("wizard.example", "WIZARD", agent_rights=())


class Wizard:
    """A host where nothing is set up, and the answers for it."""

    def __init__(self, host: AgentHost, directory: Path) -> None:
        self.host = host
        self.file = directory / "answers.yaml"
        self.admin_file = directory / "admin"
        self.admin_file.write_text(host.forest.administrator.password)
        self.domain: dict[str, Any] = {
            "domain": host.forest.dns_name,
            "servers": [host.forest.address],
            "ca_file": str(host.forest.ca_file),
            "admin_user": host.forest.administrator.user_principal_name,
            "admin_password_file": str(self.admin_file),
            "account": {"kind": "managed", "name": NAME},
        }
        self.answers: dict[str, Any] = {
            "portal": host.portal.url,
            "portal_ca_file": str(host.portal.tls.ca),
            "token_file": str(host.token_file),
            "name": "wizard-host",
            "domains": [self.domain],
        }

    def go(self, *arguments: str) -> tuple[int, str]:
        self.file.write_text(yaml.safe_dump(self.answers))
        done = self.host.command(
            "configure", f"--answers={self.file}", f"--state-dir={self.host.state}", *arguments
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def wizard(portal: Portal, bare_forest: SambaForest, tmp_path: Path) -> Iterator[Wizard]:
    host = AgentHost(portal, bare_forest, tmp_path)
    yield Wizard(host, tmp_path)
    host.stop_all()


def can_ask_for_changes(host: AgentHost) -> bool:
    """Whether the account it was left with has what an agent needs."""
    with connect(login_for(configs.load(host.state).domains[0])) as connection:
        return bool(current_cookie(connection, host.forest.base_dn, filters.nothing()))


def test_from_nothing_to_the_first_bootstrap(wizard: Wizard, portal: Portal) -> None:
    code, said = wizard.go()
    assert code == 0, said
    assert [said.count(f"[{number}/8]") for number in range(1, 9)] == [1] * 8
    assert "BasicRead: granted" in said
    assert "is welcome" in said
    assert len(portal.bootstraps) == 1
    assert [one["fqdn"] for one in portal.groupings] == ["wizard.example"]
    domain = configs.load(wizard.host.state).domains[0]
    assert (domain.user, domain.managed) == (f"{NAME}@wizard.example", True)
    assert can_ask_for_changes(wizard.host)
    kept = b"".join(path.read_bytes() for path in wizard.host.state.rglob("*") if path.is_file())
    assert wizard.host.forest.administrator.password.encode() not in kept
    for secret in (wizard.host.forest.administrator.password, domain.password()):
        assert secret not in said
    assert domain.password() not in (wizard.host.state / "setup.json").read_text()


def test_it_goes_on_where_it_stopped_without_the_administrator(wizard: Wizard, portal: Portal) -> None:
    portal.faults["POST", "registrations"].append(hang_up)
    code, said = wizard.go()
    assert (code, "PortalUnreachable" in said) == (5, True)
    wizard.admin_file.unlink()
    code, said = wizard.go()
    assert code == 0, said
    assert said.count("done before") == 4
    assert len(portal.agents) == 1
    assert can_ask_for_changes(wizard.host)


def test_doing_it_again_changes_nothing(wizard: Wizard, portal: Portal) -> None:
    wizard.go()
    password = configs.load(wizard.host.state).domains[0].password()
    code, said = wizard.go("--again")
    assert code == 0, said
    assert "BasicRead: was granted already" in said
    assert "its password is the one kept here" in said
    assert configs.load(wizard.host.state).domains[0].password() == password
    assert len(portal.agents) == 1


def test_an_answer_that_changed_is_acted_upon(wizard: Wizard) -> None:
    wizard.go()
    wizard.domain["permissions"] = ["BasicRead", "PasswordHashSync"]
    code, said = wizard.go()
    assert code == 0, said
    assert "PasswordHashSync: granted" in said
    assert said.count("done before") == 3


def test_several_domains_are_set_up_one_after_the_other_and_all_served(
    wizard: Wizard, portal: Portal, second_forest: SambaForest, tmp_path: Path
) -> None:
    account = second_forest.account("isthmus-agent")
    password_file = tmp_path / "north"
    password_file.write_text(account.password)
    north: dict[str, Any] = {
        "domain": second_forest.dns_name,
        "servers": [second_forest.address],
        "ca_file": str(wizard.host.forest.ca_file),
        "account": {
            "kind": "existing",
            "user": account.user_principal_name,
            "password_file": str(password_file),
        },
    }
    wizard.answers["domains"].append(north)
    code, said = wizard.go()
    # Both domains have to be right before the portal hears of the agent.
    assert (code, "FingerprintNotConfirmed" in said, len(portal.tokens)) == (4, True, 1), said
    north["ca_file"] = str(second_forest.ca_file)
    code, said = wizard.go()
    assert code == 0, said
    assert [said.count(f"[{number}/12]") for number in range(1, 13)] == [1] * 12
    assert said.count("done before") == 5
    assert [one["fqdn"] for one in portal.groupings] == ["wizard.example", "north.example"]
    assert [domain.managed for domain in configs.load(wizard.host.state).domains] == [True, False]
    wizard.host.run()
    asked = [portal.ask(question(one.dns_name)) for one in (wizard.host.forest, second_forest)]
    assert all(queued.done.wait(30) for queued in asked)
    assert [queued.failures for queued in asked] == [[], []]
    assert [{dn.split(",DC=", 1)[1] for dn in names(queued)} for queued in asked] == [
        {"wizard,DC=example"},
        {"north,DC=example"},
    ]


def names(queued: Queued) -> set[str]:
    """Distinguished names of what was delivered."""
    return {one["distinguishedName"] for one in queued.objects().values()}


def test_a_dry_run_asks_nobody_and_prints_the_lines(wizard: Wizard, unused_tcp_port: int) -> None:
    wizard.answers["portal"] = f"https://127.0.0.1:{unused_tcp_port}"
    wizard.domain |= {"servers": ["192.0.2.1"], "admin_password_file": "/nonexistent"}
    code, said = wizard.go("--dry-run")
    assert code == 0, said
    assert f'New-ADUser -Name "{NAME}"' in said
    root = wizard.host.forest.base_dn
    assert f'dsacls "{root}" /G "{NAME}@wizard.example:CA;Replicating Directory Changes"' in said
    assert f'dsacls "CN=Deleted Objects,{root}" /takeOwnership' in said
    assert not wizard.host.state.exists()


def test_without_an_administrator_the_lines_are_shown_and_nothing_is_granted(wizard: Wizard) -> None:
    account = wizard.host.account
    wizard.domain |= {
        "admin_user": None,
        "account": {
            "kind": "existing",
            "user": account.user_principal_name,
            "password_file": str(wizard.host.password_file),
        },
    }
    code, said = wizard.go()
    assert code == 0, said
    assert f'/G "{account.user_principal_name}:CA;Replicating Directory Changes"' in said
    assert configs.load(wizard.host.state).domains[0].managed is False


def test_an_unknown_certificate_ends_it_before_a_password_is_sent(wizard: Wizard, portal: Portal) -> None:
    wizard.domain["ca_file"] = None
    code, said = wizard.go()
    assert (code, "FingerprintNotConfirmed" in said) == (4, True)
    assert wizard.host.forest.fingerprint in said
    wizard.domain["fingerprint"] = "ab" * 32
    code, said = wizard.go()
    assert (code, "AdCertificateUntrusted" in said) == (6, True)
    assert portal.tokens
    wizard.domain["fingerprint"] = wizard.host.forest.fingerprint
    code, said = wizard.go()
    assert code == 0, said


def test_a_wrong_administrator_password_is_named_and_costs_no_token(wizard: Wizard, portal: Portal) -> None:
    wizard.admin_file.write_text("wrong")
    code, said = wizard.go()
    assert (code, "AdBindFailed" in said) == (6, True)
    assert portal.tokens


def test_a_person_is_asked_and_says_yes_to_each_step(wizard: Wizard, portal: Portal) -> None:
    forest = wizard.host.forest
    words = [portal.url, str(portal.tls.ca), "", forest.dns_name, forest.address, ""]
    words += [forest.administrator.user_principal_name, "y", "n", "isthmus-asked", "n"]
    # Sign in: go on, token. Controllers, trust (the fingerprint is shown), account: administrator's password.
    words += ["y", wizard.host.token_file.read_text().strip(), "y", "y", "y", "y"]
    words += [forest.administrator.password, "y", "y", "y", "y"]
    done = subprocess.run(
        [str(COMMAND), "configure", f"--state-dir={wizard.host.state}"],
        input="\n".join(words) + "\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"its SHA-256 fingerprint: {forest.fingerprint}" in done.stdout
    assert configs.load(wizard.host.state).domains[0].fingerprint == forest.fingerprint
    assert can_ask_for_changes(wizard.host)


def test_options_do_the_same_with_secrets_from_standard_input(wizard: Wizard, portal: Portal) -> None:
    forest = wizard.host.forest
    options = {
        "portal": portal.url,
        "portal-ca-file": portal.tls.ca,
        "domain": forest.dns_name,
        "server": forest.address,
        "ca-file": forest.ca_file,
        "admin-user": forest.administrator.user_principal_name,
        "account-name": "isthmus-flags",
        "state-dir": wizard.host.state,
    }
    done = subprocess.run(
        [str(COMMAND), "configure", *(f"--{name}={value}" for name, value in options.items())],
        input=f"{wizard.host.token_file.read_text().strip()}\n{forest.administrator.password}\n",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert configs.load(wizard.host.state).domains[0].user == "isthmus-flags@wizard.example"
    assert can_ask_for_changes(wizard.host)


def test_a_person_who_says_no_stops_it(wizard: Wizard) -> None:
    forest, portal = wizard.host.forest, wizard.host.portal
    words = [portal.url, str(portal.tls.ca), "", forest.dns_name]
    words += ["", "", "", "someone@wizard.example", "n", "n"]
    done = subprocess.run(
        [str(COMMAND), "configure", f"--state-dir={wizard.host.state}"],
        input="\n".join(words) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "SetupStopped")
    assert portal.tokens


@pytest.fixture
def name_server(bare_forest: SambaForest) -> Iterator[DnsServer]:
    """Knows the forest's controller by its address, behind one that is not there."""
    records: list[Record] = [
        (10, 100, 389, "127.0.0.254."),
        (5, 10, 389, f"{bare_forest.address}."),
        (0, 90, 389, "127.0.0.253."),
    ]
    with serving(DnsServer({"_ldap._tcp.dc._msdcs.wizard.example": records})) as running:
        yield running


def test_controllers_come_from_dns_behind_the_preferred_ones(wizard: Wizard, name_server: DnsServer) -> None:
    wizard.answers["nameserver"] = name_server.endpoint
    wizard.domain["servers"] = ["127.0.0.252", "dns"]
    code, said = wizard.go()
    assert code == 0, said
    found = configs.load(wizard.host.state).domains[0].servers
    expected = ["127.0.0.252", "127.0.0.253", wizard.host.forest.address, "127.0.0.254"]
    assert [server.removesuffix(":636") for server in found] == expected


def test_a_domain_that_dns_does_not_know_is_named(name_server: DnsServer) -> None:
    with pytest.raises(AgentError) as refused:
        controllers("other.example", name_server.endpoint)
    assert refused.value.code == "ControllersNotFound"
    assert "_ldap._tcp.dc._msdcs.other.example" in refused.value.detail


GOOD: dict[str, Any] = {
    "portal": "https://p.example",
    "domains": [{"domain": "a.example", "admin_user": "admin@a.example"}],
}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ([], "the file"),
        ({**GOOD, "portal": None}, "portal"),
        ({**GOOD, "domains": []}, "domains"),
        ({**GOOD, "password": "x"}, "password"),
        ({**GOOD, "domains": [{"domain": "a.example"}]}, "domains[0].admin_user"),
        (
            {**GOOD, "domains": [{**GOOD["domains"][0], "permissions": ["Everything"]}]},
            "domains[0].permissions",
        ),
        (
            {**GOOD, "domains": [{**GOOD["domains"][0], "account": {"name": "a/b"}}]},
            "domains[0].account.name",
        ),
        ({**GOOD, "domains": [{**GOOD["domains"][0], "account": {"kind": "x"}}]}, "domains[0].account.kind"),
        ({**GOOD, "domains": [{**GOOD["domains"][0], "servers": "dc1"}]}, "domains[0].servers"),
    ],
)
def test_a_wrong_answer_is_named_by_its_place(body: object, place: str) -> None:
    with pytest.raises(AgentError) as refused:
        parse(body)
    assert refused.value.code == "AnswersInvalid"
    assert refused.value.detail.startswith(place) or f": {place} " in refused.value.detail

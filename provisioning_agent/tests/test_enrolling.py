"""``isthmus-agent enrol`` against a real domain controller and a portal over HTTPS."""

from __future__ import annotations

import json
import stat

import pytest

from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal, hang_up, refuse
from lab.samba import SambaForest
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.forest


def test_enrolling_registers_the_agent_and_its_domain(host: AgentHost, portal: Portal) -> None:
    done = host.enrol()
    assert done.returncode == 0, done.stderr
    assert [(one["fqdn"], one["netbios"], one["forest"]) for one in portal.groupings] == [
        ("corp.example", "CORP", "corp.example")
    ]
    assert portal.groupings[0]["sid"].startswith("S-1-5-21-")
    assert len(portal.agents) == 1


def test_what_is_secret_is_readable_by_its_owner_alone(host: AgentHost) -> None:
    host.enrol()
    files = [path for path in host.state.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"agent.json", "identity.pem", "corp.example.password"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert host.account.password not in (host.state / "agent.json").read_text()


def test_no_secret_is_printed(host: AgentHost) -> None:
    done = host.enrol()
    printed = done.stdout + done.stderr
    assert host.account.password not in printed
    assert host.token_file.read_text().strip() not in printed


def test_enrolling_again_keeps_the_agent(host: AgentHost, portal: Portal) -> None:
    host.enrol()
    first = json.loads((host.state / "agent.json").read_text())["agentId"]
    again = host.enrol(token_file=None)
    assert again.returncode == 0, again.stderr
    assert json.loads((host.state / "agent.json").read_text())["agentId"] == first
    assert list(portal.agents) == [first]


def test_a_second_domain_is_added_to_the_first(
    host: AgentHost, portal: Portal, second_forest: SambaForest
) -> None:
    host.enrol()
    account = second_forest.account("isthmus-agent")
    host.password_file.write_text(account.password)
    done = host.enrol(
        token_file=None,
        domain=second_forest.dns_name,
        server=second_forest.address,
        bind_user=account.user_principal_name,
        dc_ca_file=str(second_forest.ca_file),
    )
    assert done.returncode == 0, done.stderr
    assert [one["fqdn"] for one in portal.groupings] == ["corp.example", "north.example"]


def test_an_answer_that_got_lost_costs_nothing(host: AgentHost, portal: Portal) -> None:
    portal.faults["PUT", "resource-groupings"].append(hang_up)
    broken = host.enrol()
    assert (broken.returncode, broken.stderr.split(":")[0]) == (5, "PortalUnreachable")
    mended = host.enrol()
    assert mended.returncode == 0, mended.stderr
    assert len(portal.agents) == 1


def test_an_agent_that_was_revoked_becomes_a_new_one_with_a_new_token(
    host: AgentHost, portal: Portal
) -> None:
    host.enrol()
    first = json.loads((host.state / "agent.json").read_text())["agentId"]
    portal.agents.clear()
    portal.tokens = {"isthmus-efgh5678-" + "n" * 43}
    host.token_file.write_text(portal.token)
    portal.faults["PUT", first].append(refuse(WireError("AgentRevoked")))
    done = host.enrol()
    assert done.returncode == 0, done.stderr
    assert list(portal.agents) != [first]


@pytest.mark.parametrize("code", ["EnrolmentTokenUnknown", "EnrolmentTokenExpired", "EnrolmentTokenUsed"])
def test_a_refused_token_is_named(host: AgentHost, portal: Portal, code: str) -> None:
    portal.faults["POST", "registrations"].append(refuse(WireError(code)))
    done = host.enrol()
    assert (done.returncode, done.stderr.split(":")[0]) == (4, code)
    assert not (host.state / "agent.json").exists()


def test_a_wrong_password_is_said_before_the_token_is_used(host: AgentHost, portal: Portal) -> None:
    host.password_file.write_text("wrong")
    done = host.enrol()
    assert (done.returncode, done.stderr.split(":")[0]) == (6, "AdBindFailed")
    assert portal.tokens
    assert not host.state.exists()


def test_a_domain_controller_that_is_down_is_named(host: AgentHost, unused_tcp_port: int) -> None:
    done = host.enrol(server=f"127.0.0.1:{unused_tcp_port}")
    assert (done.returncode, done.stderr.split(":")[0]) == (6, "AdUnreachable")
    assert str(unused_tcp_port) in done.stderr


def test_a_controller_of_another_domain_is_refused(host: AgentHost) -> None:
    done = host.enrol(domain="other.example")
    assert (done.returncode, done.stderr.split(":")[0]) == (6, "DomainMismatch")


def test_an_untrusted_controller_is_refused_with_the_flag_that_would_confirm_it(
    host: AgentHost, forest: SambaForest
) -> None:
    refused = host.enrol(dc_ca_file=None)
    assert (refused.returncode, refused.stderr.split(":")[0]) == (6, "AdCertificateUntrusted")
    assert f"--dc-fingerprint {forest.fingerprint}" in " ".join(refused.stderr.split())
    confirmed = host.enrol(dc_ca_file=None, dc_fingerprint=forest.fingerprint)
    assert confirmed.returncode == 0, confirmed.stderr


def test_another_certificate_than_the_pinned_one_is_refused(host: AgentHost) -> None:
    done = host.enrol(dc_ca_file=None, dc_fingerprint="ab" * 32)
    assert (done.returncode, done.stderr.split(":")[0]) == (6, "AdCertificateUntrusted")
    assert "not the confirmed one" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("portal", "http://127.0.0.1:1", "PortalNotHttps"),
        ("dc_fingerprint", "abc", "FingerprintInvalid"),
        ("password_file", "/nonexistent", "SecretUnreadable"),
        ("server", "dc:notaport", "ServerInvalid"),
        ("dc_ca_file", "/nonexistent", "CaFileInvalid"),
    ],
)
def test_bad_options_are_told_apart(host: AgentHost, option: str, value: str, code: str) -> None:
    done = host.enrol(**{option: value})
    assert (done.returncode, done.stderr.split(":")[0]) == (4, code)


def test_a_new_agent_needs_a_token(host: AgentHost) -> None:
    done = host.enrol(token_file=None)
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "TokenMissing")


def test_a_portal_with_an_untrusted_certificate_is_refused(host: AgentHost, portal: Portal) -> None:
    done = host.enrol(ca_file=None)
    assert (done.returncode, done.stderr.split(":")[0]) == (5, "PortalCertificateUntrusted")
    assert portal.tokens

"""What goes wrong between agent and directory has a name, a remedy, and never looks like an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import changes
from lab.agent.ldaps_server import Answer, MisbehavingServer, entry, result
from lab.agent.reading import ask, login_to, question
from lab.certificates import TlsFiles, issue_server_certificate
from lab.samba import SambaForest
from provisioning_agent.ldap import connection as connections
from provisioning_agent.ldap.connection import DirectoryLogin, Endpoint, connect
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.filters import present
from provisioning_agent.ldap.messages import Search
from provisioning_agent.ldap.reader import TOMBSTONES_INVISIBLE, read
from provisioning_agent.ldap.tls import Trust

EVERYTHING = Search("DC=x", present("objectClass"), ("cn",))


def failure(login: DirectoryLogin) -> DirectoryError:
    """How connecting fails."""
    with pytest.raises(DirectoryError) as caught:
        connect(login).close()
    return caught.value


def search_failure(server: MisbehavingServer) -> DirectoryError:
    """How a search fails."""
    with server, connect(server.login) as open_connection, pytest.raises(DirectoryError) as caught:
        list(open_connection.pages(EVERYTHING, 10))
    return caught.value


@pytest.mark.forest
def test_a_wrong_password_is_told_from_a_missing_right(forest: SambaForest) -> None:
    error = failure(replace(login_to(forest), password="wrong"))
    assert (error.code, error.retry) == ("AdBindFailed", False)
    assert "wrong" not in error.detail.replace("password is wrong", "")


@pytest.mark.forest
def test_an_account_that_can_not_see_deletions_makes_the_answer_say_so(forest: SambaForest) -> None:
    blind = forest.create_service_account("blind", rights=("get-changes",))
    request = question(forest.dns_name)
    assert ask(login_to(forest, blind), request).notes == [TOMBSTONES_INVISIBLE]
    assert ask(login_to(forest), request).notes == []


@pytest.mark.forest
def test_a_disabled_account_is_refused(forest: SambaForest) -> None:
    leaver = forest.create_service_account("leaver")
    with forest.connect() as admin:
        changes.disable(admin, leaver.dn)
    assert failure(login_to(forest, leaver)).code == "AdBindFailed"


@pytest.mark.forest
def test_the_next_controller_is_asked_when_one_is_down(forest: SambaForest, unused_tcp_port: int) -> None:
    servers = (Endpoint("127.0.0.1", unused_tcp_port), Endpoint(forest.address))
    with connect(login_to(forest, servers=servers)) as found:
        assert found.endpoint == servers[1]


@pytest.mark.forest
def test_a_wrong_password_is_not_tried_on_every_controller(forest: SambaForest) -> None:
    servers = (Endpoint(forest.address), Endpoint("127.0.0.1", 1))
    assert failure(login_to(forest, servers=servers, password="wrong")).code == "AdBindFailed"


@pytest.mark.forest
@pytest.mark.parametrize("right", [True, False])
def test_a_pinned_certificate_is_compared(forest: SambaForest, right: bool) -> None:
    trust = Trust(fingerprint=forest.fingerprint if right else "00" * 32)
    if right:
        connect(login_to(forest, trust=trust)).close()
    else:
        assert failure(login_to(forest, trust=trust)).code == "AdCertificateUntrusted"


def test_no_server_at_all_is_unreachable(unused_tcp_port: int) -> None:
    error = failure(DirectoryLogin((Endpoint("127.0.0.1", unused_tcp_port),), "a", "b"))
    assert (error.code, error.retry) == ("AdUnreachable", True)


@pytest.mark.parametrize("trust", [Trust(), Trust(fingerprint="00" * 32)])
def test_an_untrusted_server_never_sees_the_password(portal_tls: TlsFiles, trust: Trust) -> None:
    with MisbehavingServer(portal_tls) as server:
        assert failure(replace(server.login, trust=trust)).code == "AdCertificateUntrusted"
        assert server.received == b""


def test_a_certificate_for_another_name_is_untrusted(tmp_path: Path) -> None:
    tls = issue_server_certificate(tmp_path, "dc9.elsewhere.example", "192.0.2.9")
    with MisbehavingServer(tls) as server:
        assert failure(server.login).code == "AdCertificateUntrusted"
        assert server.received == b""


def test_a_server_that_is_too_busy_to_bind_is_asked_again(portal_tls: TlsFiles) -> None:
    with MisbehavingServer(portal_tls, bind=lambda number: result(number, 51, 0x61)) as server:
        error = failure(server.login)
    assert (error.code, error.retry) == ("AdBusy", True)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (3, "AdTimeout"),
        (4, "SizeLimitExceeded"),
        (10, "ReferralReceived"),
        (51, "AdBusy"),
        (1, "AdSearchFailed"),
    ],
)
def test_a_result_that_is_not_success_is_a_failure_even_after_entries(
    portal_tls: TlsFiles, code: int, name: str
) -> None:
    answers: list[Answer] = [lambda number: entry(number, "CN=a", cn="a") + result(number, code)]
    assert search_failure(MisbehavingServer(portal_tls, answers)).code == name


@pytest.mark.parametrize(
    "rubbish",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x30\x80\x00\x00\x00\x00\x00\x00",
        b"\x30\x84\xff\xff\xff\xff\x00\x00",
        b"\x30\x04\x02\x02\x03\xe9",
    ],
)
def test_bytes_that_are_not_ldap_are_an_unreadable_answer(portal_tls: TlsFiles, rubbish: bytes) -> None:
    error = search_failure(MisbehavingServer(portal_tls, [lambda _: rubbish, lambda _: None]))
    assert error.code == "AdAnswerUnreadable"


@pytest.mark.parametrize(
    "last_words",
    [
        lambda number: None,
        lambda number: entry(number, "CN=a"),
        lambda number: entry(number, "CN=a", cn="a" * 100)[:50],
        lambda number: result(0, 52, 0x78),
    ],
)
def test_a_connection_that_ends_in_an_answer_is_lost(portal_tls: TlsFiles, last_words: Answer) -> None:
    with (
        MisbehavingServer(portal_tls, [last_words, lambda _: None]) as server,
        connect(server.login) as found,
    ):
        message_id = found._send(EVERYTHING)
        found._send(EVERYTHING)
        with pytest.raises(DirectoryError) as caught:
            found._collect(message_id)
    assert (caught.value.code, caught.value.retry) == ("AdConnectionLost", True)


def test_a_server_that_says_nothing_is_given_up(
    portal_tls: TlsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "RECEIVE_TIMEOUT_S", 1)
    error = search_failure(MisbehavingServer(portal_tls, [lambda _: b""]))
    assert (error.code, error.retry) == ("AdTimeout", True)


def test_a_server_without_the_controls_we_need_is_named(portal_tls: TlsFiles) -> None:
    root = "DC=x,DC=test"

    def dse(number: int) -> bytes:
        found = entry(
            number, "", defaultNamingContext=root, rootDomainNamingContext=root, dsServiceName="CN=s"
        )
        return found + result(number, 0)

    def settings(number: int) -> bytes:
        return entry(number, "CN=s", invocationId="0123456789abcdef") + result(number, 0)

    answers: list[Answer] = [dse, settings, lambda number: result(number, 0)]
    with (
        MisbehavingServer(portal_tls, answers) as server,
        connect(server.login) as found,
        pytest.raises(DirectoryError) as caught,
    ):
        list(read(found, question("x.test"), lambda: datetime.now(UTC)))
    assert caught.value.code == "DirSyncUnsupported"

"""A controller that goes away is replaced by the next; the watermark goes along."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.agent.host import AgentHost
from lab.agent.ldaps_server import MisbehavingServer
from lab.agent.portal_server import Portal, Queued
from lab.agent.reading import question
from lab.certificates import TlsFiles
from lab.samba import SambaForest
from provisioning_agent.ldap.connection import Endpoint
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.servers import AVOIDED_S, ServerBook
from provisioning_agent.wire.pages import PAGE_SCHEMA

FIRST, SECOND, THIRD = (Endpoint(f"dc{number}") for number in (1, 2, 3))


class Seconds:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_failed_lately_comes_last_and_is_still_asked() -> None:
    clock = Seconds()
    book = ServerBook(clock)
    book.failed(FIRST)
    assert book.ordered([FIRST, SECOND, THIRD]) == [SECOND, THIRD, FIRST]
    clock.now = AVOIDED_S
    assert book.ordered([FIRST, SECOND, THIRD]) == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize(
    ("code", "order"),
    [
        ("AdConnectionLost", [SECOND, FIRST]),
        ("AdBusy", [SECOND, FIRST]),
        ("AdTimeout", [SECOND, FIRST]),
        ("ScopeContainerMissing", [FIRST, SECOND]),
        ("AdBindFailed", [FIRST, SECOND]),
    ],
)
def test_what_counts_as_a_failure_of_the_controller(code: str, order: list[Endpoint]) -> None:
    book = ServerBook()
    with pytest.raises(DirectoryError), book.judging(FIRST):
        raise DirectoryError(code)
    assert book.ordered([FIRST, SECOND]) == order


def test_who_answers_again_has_its_place_back() -> None:
    book = ServerBook()
    book.failed(FIRST)
    with book.judging(FIRST):
        pass
    assert book.ordered([FIRST, SECOND]) == [FIRST, SECOND]


@pytest.fixture
def fragile(portal_tls: TlsFiles) -> Iterator[MisbehavingServer]:
    """A controller that binds everybody and breaks off at the first question."""
    with MisbehavingServer(portal_tls, [lambda _: None]) as server:
        yield server


def prefer(host: AgentHost, server: str, trusted: Path) -> None:
    """Put a controller before the one enrolled with, and trust its CA as well."""
    path = host.state / "agent.json"
    document = json.loads(path.read_text())
    [domain] = document["domains"]
    domain["servers"].insert(0, server)
    path.write_text(json.dumps(document))
    [ca_file] = (host.state / "trust").glob(f"*{host.forest.dns_name}*")
    ca_file.write_text(ca_file.read_text() + trusted.read_text())


def ended(queued: Queued) -> dict[str, Any]:
    assert queued.done.wait(30)
    page: dict[str, Any] = queued.pages[max(queued.pages)][PAGE_SCHEMA] if queued.pages else {}
    return page


@pytest.mark.forest
def test_a_dead_controller_is_passed_over_and_the_cookie_kept(
    host: AgentHost, portal: Portal, forest: SambaForest, unused_tcp_port: int
) -> None:
    assert host.enrol().returncode == 0
    prefer(host, f"127.0.0.1:{unused_tcp_port}", portal.tls.ca)
    host.run()
    first = ended(portal.ask(question(forest.dns_name)))
    second = ended(portal.ask(question(forest.dns_name, watermark=first["watermark"])))
    assert (first["mode"], second["mode"]) == ("initial", "delta")
    # Once is enough: from then on the other comes first.
    assert host.text().count("connecting failed") == 1


@pytest.mark.forest
def test_a_controller_that_breaks_off_is_replaced_by_the_next(
    host: AgentHost, portal: Portal, forest: SambaForest, fragile: MisbehavingServer
) -> None:
    assert host.enrol().returncode == 0
    endpoint = fragile.login.servers[0]
    prefer(host, str(endpoint), portal.tls.ca)
    host.run()
    broken = portal.ask(question(forest.dns_name))
    assert ended(broken) == {}
    assert broken.failure_code == "AdConnectionLost"
    again = ended(portal.ask(question(forest.dns_name)))
    assert (again["mode"], again["replica"]["name"]) == ("initial", f"dc1.{forest.dns_name}")

"""A controller that goes away is replaced by the next; the watermark goes along."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.agent.dns_server import DnsServer
from lab.agent.host import AgentHost
from lab.agent.ldaps_server import MisbehavingServer
from lab.agent.portal_server import Portal, Queued
from lab.agent.reading import question
from lab.agent.serving import serving
from lab.certificates import TlsFiles
from lab.samba import SambaForest
from provisioning_agent import config as configs
from provisioning_agent.ldap.connection import Endpoint
from provisioning_agent.ldap.discovery import Record, in_order, may_be_asked
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.ldap.servers import AVOIDED_S, ServerBook
from provisioning_agent.ldap.tls import Trust
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


def change_servers(host: AgentHost, change: Callable[[list[str]], list[str]]) -> None:
    """Rewrite the controllers that are listed."""
    path = host.state / "agent.json"
    document = json.loads(path.read_text())
    [domain] = document["domains"]
    domain["servers"] = change(domain["servers"])
    path.write_text(json.dumps(document))


def prefer(host: AgentHost, server: str, trusted: Path) -> None:
    """Put a controller before the one enrolled with, and trust its CA as well."""
    change_servers(host, lambda listed: [server, *listed])
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


def test_srv_records_are_drawn_by_priority_then_by_weight() -> None:
    records = [Record(1, 0, "spare"), Record(0, 10, "small"), Record(0, 30, "big"), Record(0, 0, "none")]
    chance = random.Random(1)  # the same draw each time
    orders = [in_order(records, chance) for _ in range(1000)]
    assert all(sorted(order) == ["big", "none", "small", "spare"] for order in orders)
    assert {order[-1] for order in orders} == {"spare"}
    first = Counter(order[0] for order in orders)
    assert first["big"] > 2 * first["small"] > 10 * first["none"] > 0


def test_dns_alone_does_not_lead_out_of_the_domain(tmp_path: Path) -> None:
    names = ("dc1.corp.example", "dc.evil.example", "evilcorp.example")
    assert may_be_asked(names, "corp.example", Trust()) == ("dc1.corp.example",)
    assert may_be_asked(names, "corp.example", Trust(ca_file=tmp_path)) == names


@pytest.fixture
def name_server(forest: SambaForest) -> Iterator[DnsServer]:
    """Names the forest's controller."""
    name = f"_ldap._tcp.dc._msdcs.{forest.dns_name}"
    with serving(DnsServer({name: [(0, 100, 389, f"{forest.address}.")]})) as running:
        yield running


@pytest.mark.forest
def test_dns_is_asked_where_no_controller_is_listed_or_none_answers(
    host: AgentHost, portal: Portal, forest: SambaForest, name_server: DnsServer, unused_tcp_port: int
) -> None:
    done = host.enrol(server=None, nameserver=name_server.endpoint)
    assert done.returncode == 0, done.stderr
    assert configs.load(host.state).domains[0].servers == ()
    assert host.status()["domains"][0]["controller"] == f"dc1.{forest.dns_name}"
    change_servers(host, lambda _: [f"127.0.0.1:{unused_tcp_port}"])
    host.run()
    assert ended(portal.ask(question(forest.dns_name)))["mode"] == "initial"

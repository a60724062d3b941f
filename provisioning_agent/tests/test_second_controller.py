"""Two real controllers of one domain: when one goes away the other goes on, and nothing is lost or repeated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab import changes
from lab.addresses import leased_address
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.agent.reading import ask, login_to, question
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from lab.second_controller import join, replicate
from provisioning_agent import config as configs
from provisioning_agent.ldap.connection import Endpoint
from provisioning_agent.ldap.tls import Trust
from provisioning_agent.wire.pages import AD_SCHEMA, PAGE_SCHEMA

pytestmark = pytest.mark.forest

Pair = tuple[SambaForest, SambaForest]
POOR = "poor"


@pytest.fixture(scope="module")
def pair(make_forest: ForestFactory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """dc1 and dc2 of pair.example, with an account that may not replicate."""
    first = make_forest("pair.example", "PAIR")
    first.create_service_account(POOR, rights=())
    directory = tmp_path_factory.mktemp("second")
    with leased_address() as address:
        second = SambaForest("pair.example", "PAIR", address, directory, host="dc2")
        join(second, first)
        with second:
            yield first, second
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def trusted(pair: Pair, tmp_path: Path) -> Path:
    """The CAs of both controllers."""
    path = tmp_path / "both.pem"
    path.write_text("".join(one.ca_file.read_text() for one in pair))
    return path


def add(controller: SambaForest, name: str) -> str:
    with controller.connect() as connection:
        changes.add_user(connection, f"CN=Users,{controller.base_dn}", name, name)
    return name


class Delivered:
    """What the running agent answers, each answer from where the one before ended."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._watermark: str | None = None
        self.mode, self.controller = "", ""

    def next(self) -> set[str]:
        """Account names in the next answer; there are neither tombstones nor repetitions in it."""
        queued = self._portal.ask(question("pair.example", watermark=self._watermark))
        assert queued.done.wait(40)
        assert queued.failures == []
        about = queued.pages[max(queued.pages)][PAGE_SCHEMA]
        self._watermark, self.mode = about["watermark"], about["mode"]
        self.controller = about["replica"]["name"].split(".")[0]
        found = [one for page in queued.pages.values() for one in page["Resources"]]
        names = [one[AD_SCHEMA]["sAMAccountName"] for one in found if one["meta"]["resourceType"] == "user"]
        assert len(names) == len(set(names))
        assert not any("tombstone" in one["meta"] for one in found)
        return set(names)


def test_the_second_controller_goes_on_from_the_cookie_of_the_first(
    pair: Pair, portal: Portal, trusted: Path, tmp_path: Path
) -> None:
    first, second = pair
    host = AgentHost(portal, first, tmp_path)
    assert host.enrol(dc_ca_file=str(trusted)).returncode == 0
    config = configs.load(host.state)
    [domain] = config.domains
    both = replace(domain, servers=(*domain.servers, second.address))
    configs.save(host.state, config.with_domain(both))
    delivered = Delivered(portal)
    host.run()
    try:
        assert len(delivered.next()) > 50
        assert (delivered.mode, delivered.controller) == ("initial", "dc1")
        known = add(first, "known-to-both")
        replicate(second, first)
        assert (delivered.next(), delivered.controller) == ({known}, "dc1")
        late = add(first, "late-at-the-second")
        first.stop()
        made = add(second, "made-there")
        assert (delivered.next(), delivered.mode, delivered.controller) == ({made}, "delta", "dc2")
        first.start()
        replicate(second, first)
        assert (delivered.next(), delivered.controller) == ({late}, "dc2")
        assert delivered.next() == set()
    finally:
        host.stop_all()
        if not first.server.running:
            first.start()


def test_a_counter_of_the_first_is_not_used_at_the_second(pair: Pair, trusted: Path) -> None:
    first, second = pair
    servers = (Endpoint(first.address), Endpoint(second.address))
    login = login_to(first, first.account(POOR), servers=servers, trust=Trust(ca_file=trusted))
    before = ask(login, question("pair.example"))
    same = ask(login, question("pair.example", watermark=before.watermark))
    assert (same.mode, same.objects()) == ("delta", {})
    first.stop()
    try:
        after = ask(login, question("pair.example", watermark=before.watermark))
    finally:
        first.start()
    # Elsewhere the counter means nothing: everything is read, and nothing is missing.
    assert after.mode == "initial"
    assert after.objects().keys() >= before.objects().keys()

"""The listener between a real domain controller and a portal: what changes is told, and not too often."""

from __future__ import annotations

from itertools import count, pairwise

import psutil
import pytest
from ldap3 import Connection

from lab import changes
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal, refuse
from lab.samba import SambaForest
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.forest

# Samba looks for changes every few seconds.
NOTICED_S = 20.0
SPACING_S = 5.0


@pytest.fixture
def listening(host: AgentHost, portal: Portal) -> AgentHost:
    """A running agent whose controller has the search and keeps it open."""
    portal.listen = True
    host.enrolled_and_running()
    host.wait_for_log("event=listening domain=")
    return host


def test_a_change_is_told_within_seconds(
    listening: AgentHost, portal: Portal, forest: SambaForest, admin: Connection, playground: str
) -> None:
    portal.wait_for(lambda: bool(portal.changes), NOTICED_S)
    told = len(portal.changes)
    changes.add_user(admin, playground, "News", "news")
    portal.wait_for(lambda: len(portal.changes) > told, NOTICED_S)
    assert {domain for domain, _ in portal.changes} == {forest.dns_name}
    assert listening.stop(listening._running[0]) == 0


def test_many_changes_are_told_once_in_five_seconds(
    listening: AgentHost, portal: Portal, admin: Connection, playground: str
) -> None:
    dn = changes.add_user(admin, playground, "Restless", "restless")
    number = count()

    def changed_until_told_thrice() -> bool:
        changes.set_attribute(admin, dn, "title", str(next(number)))
        return len(portal.changes) >= 3

    portal.wait_for(changed_until_told_thrice, 4 * SPACING_S + NOTICED_S)
    gaps = [after - before for (_, before), (_, after) in pairwise(portal.changes)]
    # Seen where they arrive: a busy machine holds one up and not the next.
    assert min(gaps) >= SPACING_S - 1
    assert next(number) > 3 * len(portal.changes)


def test_a_change_that_could_not_be_told_is_told_later(
    listening: AgentHost, portal: Portal, admin: Connection, playground: str
) -> None:
    portal.faults["POST", "bus/changes"] = [refuse(WireError("ServiceUnavailable")) for _ in range(2)]
    changes.add_user(admin, playground, "Patient", "patient")
    portal.wait_for(lambda: bool(portal.changes), 40)
    assert "event=change-not-told" in listening.text()


def test_the_listener_comes_back_after_the_controller(
    listening: AgentHost, portal: Portal, forest: SambaForest, playground: str
) -> None:
    forest.stop()
    listening.wait_for_log("event=listening-lost")
    forest.start()
    seen = len(portal.changes)
    # What happened meanwhile is told with the first word after.
    portal.wait_for(lambda: len(portal.changes) > seen, 60)


def test_nobody_listens_where_the_portal_does_not_want_it(host: AgentHost, portal: Portal) -> None:
    agent = host.enrolled_and_running()
    host.wait_for_log("event=listening-off domain=")
    peers = {connection.raddr for connection in psutil.Process(agent.pid).net_connections()} - {()}
    assert {peer[1] for peer in peers} == {portal.server_address[1]}

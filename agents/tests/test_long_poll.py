"""The long poll over real HTTPS: wake-ups, agents that leave, agents that race."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from django.utils import timezone

from agents.models import BusRequest, RequestState
from agents.revocation import revoke
from agents.tests.cast import make_agent, make_domain, queue
from agents.tests.portal_process import Portal
from agents.tests.waiting import until, until_stays
from agents.tests.wire_client import Meanwhile, Wire, code_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_request_queued_while_an_agent_waits_is_delivered_by_the_same_poll(portal: Portal) -> None:
    domain = make_domain()
    wire = Wire(portal, make_agent(domain, issued_at=timezone.now()))
    wire.bootstrap()
    with Meanwhile() as meanwhile:
        waiting = meanwhile.poll(wire, 50)
        until_stays(lambda: not waiting.done())
        request = queue(domain, timezone.now())
        assert waiting.result(timeout=20).json()["requestId"] == str(request.pk)


def test_a_poll_without_work_ends_empty(portal: Portal) -> None:
    wire = Wire(portal, make_agent(make_domain(), issued_at=timezone.now()))
    wire.bootstrap()
    assert wire.poll(1).status_code == 204


def test_two_agents_that_wait_get_one_request_each(portal: Portal) -> None:
    domain = make_domain()
    wires = [Wire(portal, make_agent(domain, name=name, issued_at=timezone.now())) for name in ("a", "b")]
    with Meanwhile() as meanwhile:
        for wire in wires:
            wire.bootstrap()
        waiting = [meanwhile.poll(wire, 50) for wire in wires]
        until_stays(lambda: not any(poll.done() for poll in waiting))
        requests_made = {str(queue(domain, timezone.now()).pk) for _ in range(2)}
        assert {poll.result(timeout=20).json()["requestId"] for poll in waiting} == requests_made


def test_of_two_agents_that_race_for_one_request_one_goes_on_waiting(portal: Portal) -> None:
    domain = make_domain()
    wires = [Wire(portal, make_agent(domain, name=name, issued_at=timezone.now())) for name in ("a", "b")]
    with Meanwhile() as meanwhile:
        for wire in wires:
            wire.bootstrap()
        waiting = [meanwhile.poll(wire, 6) for wire in wires]
        until_stays(lambda: not any(poll.done() for poll in waiting))
        queue(domain, timezone.now())
        assert sorted(poll.result(timeout=20).status_code for poll in waiting) == [200, 204]
    assert BusRequest.objects.get().attempt == 1


def test_a_revoked_agent_that_waits_is_told_at_once(portal: Portal) -> None:
    member = make_agent(make_domain(), issued_at=timezone.now())
    wire = Wire(portal, member)
    wire.bootstrap()
    with Meanwhile() as meanwhile:
        waiting = meanwhile.poll(wire, 50)
        until_stays(lambda: not waiting.done())
        revoke(member.agent, timezone.now())
        assert code_of(waiting.result(timeout=20)) == "AgentRevoked"


def test_an_agent_that_left_does_not_take_a_request_with_it(portal: Portal) -> None:
    domain = make_domain()
    wire = Wire(portal, make_agent(domain, issued_at=timezone.now()))
    token = wire.bootstrap()["busToken"]
    gone = _start_poll(portal, token)
    until_stays(lambda: True)
    gone.close()
    # Long enough for the service to see the connection close.
    until_stays(lambda: True)
    queue(domain, timezone.now())
    assert wire.poll(20).json()["attempt"] == 1
    assert BusRequest.objects.get().state == RequestState.LEASED


def test_a_request_handed_back_wakes_another_agent(portal: Portal) -> None:
    domain = make_domain()
    first, second = (Wire(portal, make_agent(domain, name=n, issued_at=timezone.now())) for n in ("a", "b"))
    first.bootstrap()
    second.bootstrap()
    request = queue(domain, timezone.now())
    assert first.poll(0).status_code == 200
    with Meanwhile() as meanwhile:
        waiting = meanwhile.poll(second, 50)
        until_stays(lambda: not waiting.done())
        first.bus("DELETE", f"bus/{request.pk}/lease?attempt=1")
        assert waiting.result(timeout=20).json()["attempt"] == 2


def test_plain_http_is_refused(portal: Portal) -> None:
    wire = Wire(portal)
    with pytest.raises(requests.ConnectionError):
        requests.get(wire.url("bus").replace("https:", "http:"), timeout=10)


def test_many_agents_wait_in_one_process_without_a_thread_each(portal: Portal) -> None:
    domain = make_domain()
    wire = Wire(portal, make_agent(domain, issued_at=timezone.now()))
    token = wire.bootstrap()["busToken"]
    crowd = [_start_poll(portal, token) for _ in range(150)]
    try:
        until(lambda: _connections(portal) >= 150)
        until_stays(lambda: _threads(portal) < 40)
    finally:
        for connection in crowd:
            connection.close()


def _start_poll(portal: Portal, token: str) -> ssl.SSLSocket:
    parts = urlsplit(portal.url)
    assert parts.port is not None
    context = ssl.create_default_context(cafile=str(portal.authority))
    plain = socket.create_connection(("127.0.0.1", parts.port), timeout=30)
    connection = context.wrap_socket(plain, server_hostname="localhost")
    head = f"GET /hybrid/v1/bus?wait=50 HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def _threads(portal: Portal) -> int:
    return psutil.Process(portal.process.pid).num_threads()


def _connections(portal: Portal) -> int:
    return len(psutil.Process(portal.process.pid).net_connections("tcp"))

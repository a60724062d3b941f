"""The agent's ways to the portal: through a proxy that wants a password, and over IPv6."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.agent.connect_proxy import ConnectProxy
from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.agent.reading import question
from lab.certificates import issue_server_certificate
from lab.samba import SambaForest

pytestmark = pytest.mark.forest


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectProxy]:
    """The only way out of the host, as its environment says."""
    with ConnectProxy("agent", "proxy-password-1") as running:
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, running.url)
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield running


def test_everything_goes_through_the_proxy_and_its_password_is_not_told(
    proxy: ConnectProxy, host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name, page_size=20))
    assert queued.done.wait(30)
    assert queued.failures == []
    assert set(proxy.tunnels) == {portal.url.removeprefix("https://")}
    assert proxy.bytes_out > sum(queued.page_bytes)
    host.wait_for_log("event=answered")
    assert "proxy-password-1" not in host.text() + json.dumps(host.status())


def test_a_proxy_that_refuses_is_an_unreachable_portal(
    proxy: ConnectProxy, host: AgentHost, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("proxy-password-1", "wrong-password-2"))
    monkeypatch.delenv("https_proxy")
    done = host.enrol()
    assert done.returncode == 5
    assert "PortalUnreachable" in done.stderr
    assert "wrong-password-2" not in done.stderr + done.stdout
    assert proxy.refused >= 1
    assert proxy.tunnels == []


class SixPortal(Portal):
    """The portal on the loopback address of IPv6."""

    address_family = socket.AF_INET6
    listens_on = "::1"


@pytest.fixture
def portal_over_ipv6(tmp_path: Path) -> Iterator[Portal]:
    tls = issue_server_certificate(tmp_path / "tls6", "portal.test", "::1")
    with SixPortal(tls) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def host_over_ipv6(portal_over_ipv6: Portal, forest: SambaForest, tmp_path: Path) -> Iterator[AgentHost]:
    machine = AgentHost(portal_over_ipv6, forest, tmp_path)
    yield machine
    machine.stop_all()


def test_a_portal_at_an_ipv6_address_is_served(
    host_over_ipv6: AgentHost, portal_over_ipv6: Portal, forest: SambaForest
) -> None:
    assert "//[::1]:" in portal_over_ipv6.url
    host_over_ipv6.enrolled_and_running()
    queued = portal_over_ipv6.ask(question(forest.dns_name))
    assert queued.done.wait(30)
    assert queued.failures == []

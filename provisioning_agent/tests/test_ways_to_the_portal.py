"""The agent's ways to the portal: through real proxies, with and without TLS broken open, and over IPv6."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.agent.host import AgentHost
from lab.agent.portal_server import Portal
from lab.agent.reading import question
from lab.agent.real_proxy import RealProxy
from lab.agent.serving import serving
from lab.certificates import issue_server_certificate
from lab.samba import SambaForest

pytestmark = pytest.mark.forest

PASSWORD = "proxy-password-1"


@pytest.fixture(autouse=True)
def _no_proxy_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[RealProxy]:
    with RealProxy(tmp_path / "proxy", PASSWORD) as running:
        yield running


@pytest.fixture
def credentials(proxy: RealProxy, tmp_path: Path) -> Path:
    """The file with user and password that an administrator has."""
    path = tmp_path / "credentials"
    path.write_text(proxy.user_info + "\n")
    return path


def everything_told(host: AgentHost) -> str:
    """Whatever a secret could have got into, but the file it is kept in."""
    config = (host.state / "agent.json").read_text()
    return host.text() + json.dumps(host.status()) + config


def doctor(host: AgentHost, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    done = host.command("doctor", "--json", f"--state-dir={host.state}", environment=environment)
    assert PASSWORD not in done.stdout + done.stderr
    checks = [check for check in json.loads(done.stdout)["checks"] if check["family"] == "portal"]
    return done.returncode, {check["name"]: check for check in checks}


def test_everything_goes_through_the_proxy_of_the_environment(
    proxy: RealProxy,
    host: AgentHost,
    portal: Portal,
    forest: SambaForest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url_with_password)
    process = host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name, page_size=20))
    assert queued.done.wait(30)
    assert queued.failures == []
    host.wait_for_log("event=answered")
    assert PASSWORD not in everything_told(host)
    host.stop(process)
    assert set(proxy.wait_for_tunnels(portal.connections)) == {portal.url.removeprefix("https://")}
    assert len(proxy.tunnels()) == portal.connections


def test_a_proxy_that_refuses_the_password_is_named(
    proxy: RealProxy, host: AgentHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url_with_password.replace(PASSWORD, "wrong-password-2"))
    done = host.enrol()
    assert (done.returncode, done.stderr.split(":")[0]) == (5, "ProxyCredentialsRefused")
    assert "wrong-password-2" not in done.stderr + done.stdout
    assert proxy.refused() >= 1
    assert proxy.tunnels() == []


def test_a_proxy_of_its_own_comes_before_the_environments(
    proxy: RealProxy,
    credentials: Path,
    host: AgentHost,
    portal: Portal,
    forest: SambaForest,
    unused_tcp_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    done = host.enrol(proxy=proxy.url, proxy_credentials_file=str(credentials))
    assert done.returncode == 0, done.stderr
    credentials.unlink()
    process = host.run()
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(30)
    assert queued.failures == []
    assert PASSWORD not in everything_told(host) + done.stdout + done.stderr
    host.stop(process)
    assert len(proxy.wait_for_tunnels(portal.connections)) == portal.connections
    # Once more, for something else: what was set stays set.
    assert host.enrol().returncode == 0
    assert len(proxy.wait_for_tunnels(portal.connections)) == portal.connections


def test_the_doctor_goes_through_the_proxy_too(
    proxy: RealProxy, credentials: Path, host: AgentHost, portal: Portal
) -> None:
    assert host.enrol(proxy=proxy.url, proxy_credentials_file=str(credentials)).returncode == 0
    code, found = doctor(host)
    assert code == 0, found
    assert f"through {proxy.address}, by the agent's own setting" in found["proxy"]["found"]
    assert (found["tunnel"]["status"], found["tls"]["status"]) == ("ok", "ok")
    assert found["tls"]["target"] == portal.url.removeprefix("https://")
    (host.state / "secrets/proxy.credentials").write_text("agent:something-else\n")
    code, found = doctor(host)
    assert (code, found["tunnel"]["status"], found["bootstrap"]["status"]) == (5, "fail", "skipped")
    assert "407" in found["tunnel"]["found"]
    assert "credentials file" in found["tunnel"]["remedy"]
    code, found = doctor(host, NO_PROXY="127.0.0.1")
    assert (code, found["proxy"]["found"]) == (
        0,
        "NO_PROXY names the portal; the portal is called directly",
    )


def test_the_command_sets_it_and_takes_it_away(proxy: RealProxy, credentials: Path, host: AgentHost) -> None:
    host.enrol()
    state = f"--state-dir={host.state}"
    inside = host.command("proxy", proxy.url_with_password, state)
    assert (inside.returncode, inside.stderr.split(":")[0], PASSWORD in inside.stderr) == (
        4,
        "ProxyInvalid",
        False,
    )
    done = host.command("proxy", proxy.url, f"--credentials-file={credentials}", state)
    assert (done.returncode, f"go through {proxy.address}" in done.stdout) == (0, True), done.stderr
    assert PASSWORD not in done.stdout + (host.state / "agent.json").read_text()
    assert proxy.address in host.command("proxy", state).stdout
    assert "is called directly" in host.command("proxy", "none", state).stdout


def test_a_new_password_of_the_proxy_needs_no_restart(
    proxy: RealProxy, credentials: Path, host: AgentHost, portal: Portal
) -> None:
    credentials.write_text("agent:the-old-one\n")
    host.enrol()
    host.command("proxy", proxy.url, f"--credentials-file={credentials}", f"--state-dir={host.state}")
    host.run()
    host.wait_for_log("event=bootstrap-failed code=ProxyCredentialsRefused")
    (host.state / "secrets/proxy.credentials").write_text(proxy.user_info + "\n")
    portal.wait_for(lambda: bool(portal.bootstraps))


class NamedPortal(Portal):
    """A portal with a name, which is what a proxy that breaks TLS open makes certificates for."""

    named = "localhost"


def test_a_proxy_that_breaks_tls_open_passes_chunks_and_pages(forest: SambaForest, tmp_path: Path) -> None:
    tls = issue_server_certificate(tmp_path / "tls", "localhost", "127.0.0.1")
    with (
        serving(NamedPortal(tls)) as portal,
        RealProxy(tmp_path / "proxy", PASSWORD, upstream_ca=tls.ca) as proxy,
    ):
        portal.answers_in_chunks = True
        portal.files["metadata/1.root.json"] = root = secrets.token_bytes(200_000)
        credentials = tmp_path / "credentials"
        credentials.write_text(proxy.user_info)
        host = AgentHost(portal, forest, tmp_path)
        way = {"proxy": proxy.url, "proxy_credentials_file": str(credentials)}
        untrusted = host.enrol(**way)
        assert (untrusted.returncode, untrusted.stderr.split(":")[0]) == (5, "PortalCertificateUntrusted")
        done = host.enrol(**way, ca_file=str(proxy.authority))
        assert done.returncode == 0, done.stderr
        assert (host.state / "updates/root.json").read_bytes() == root
        process = host.run()
        try:
            queued = portal.ask(question(forest.dns_name, page_size=20))
            assert queued.done.wait(30), host.text()
            assert queued.failures == []
            assert len(queued.pages) > 2
        finally:
            host.stop(process)


def test_a_proxy_may_be_spoken_to_over_tls(forest: SambaForest, tmp_path: Path) -> None:
    tls = issue_server_certificate(tmp_path / "tls", "localhost", "127.0.0.1")
    with serving(Portal(tls)) as portal, RealProxy(tmp_path / "proxy", PASSWORD, tls=tls) as proxy:
        credentials = tmp_path / "credentials"
        credentials.write_text(proxy.user_info)
        host = AgentHost(portal, forest, tmp_path)
        assert proxy.url.startswith("https://")
        done = host.enrol(proxy=proxy.url, proxy_credentials_file=str(credentials))
        assert done.returncode == 0, done.stderr
        process = host.run()
        try:
            queued = portal.ask(question(forest.dns_name))
            assert queued.done.wait(30), host.text()
        finally:
            host.stop(process)
        assert doctor(host)[0] == 0
        assert len(proxy.wait_for_tunnels(portal.connections)) == portal.connections


class SixPortal(Portal):
    """The portal on the loopback address of IPv6."""

    address_family = socket.AF_INET6
    listens_on = "::1"


def test_a_portal_at_an_ipv6_address_is_served(forest: SambaForest, tmp_path: Path) -> None:
    with serving(SixPortal(issue_server_certificate(tmp_path / "tls6", "portal.test", "::1"))) as portal:
        assert "//[::1]:" in portal.url
        host = AgentHost(portal, forest, tmp_path)
        try:
            host.enrolled_and_running()
            queued = portal.ask(question(forest.dns_name))
            assert queued.done.wait(30)
            assert queued.failures == []
        finally:
            host.stop_all()

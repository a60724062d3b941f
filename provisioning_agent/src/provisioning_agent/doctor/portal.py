"""The portal: the way there, a bootstrap, and the bus."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from provisioning_agent.channel import proxies as channel_proxies
from provisioning_agent.channel.bootstrap import Bootstrapped, bootstrap
from provisioning_agent.channel.bus import hand_back, poll
from provisioning_agent.channel.http import PortalHttp, open_portal
from provisioning_agent.channel.identity import Identity
from provisioning_agent.channel.proxies import Hop
from provisioning_agent.config import AgentConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.status import Status as LastStatus
from provisioning_agent.wire.errors import WireError

from . import certificates, clocks, network, proxies
from .model import Check, Family, Status, skipped
from .updates import check_updates

_TRUST_OPTIONS = "enrol again with --ca-file."


def check_portal(
    config: AgentConfig, identity: Identity, last: LastStatus | None, state: Path
) -> list[Check]:
    """From the proxy to the bus, as far as it goes."""
    hop = channel_proxies.used(config.portal, config.proxy)
    checks = [proxies.verdict(config.portal, hop, exempt=hop is None and config.proxy is not None)]
    checks += _direct(config) if hop is None else _through(config, hop)
    if any(check.status is Status.FAIL for check in checks):
        checks.append(skipped("bootstrap", config.portal, "a bootstrap", "the way there is not open"))
    else:
        checks += _calls(config, identity, last, state)
    return [check.of(Family.PORTAL) for check in checks]


def _direct(config: AgentConfig) -> list[Check]:
    host, port = _address(config.portal)
    reached = _reach(host, port)
    if any(check.status is Status.FAIL for check in reached):
        return reached
    return [*reached, _tls(config, lambda context: certificates.look(host, port, context))]


def _through(config: AgentConfig, hop: Hop) -> list[Check]:
    """The proxy itself, then the portal behind it."""
    host, port = _address(config.portal)
    target = f"{host}:{port}"
    reached = _reach(hop.host, hop.port)
    if any(check.status is Status.FAIL for check in reached):
        return reached
    try:
        with proxies.tunnel(hop, host, port, config.portal_ca_file) as inside:
            opened = proxies.tunnel_verdict(hop, target, None)
            if hop.secure:
                # TLS within TLS: the portal's certificate is judged by the bootstrap call.
                return [*reached, opened]
            tls = _tls(config, lambda context: certificates.shake_hands(inside, host, context))
            return [*reached, opened, tls]
    except (OSError, proxies.TunnelRefused, AgentError) as problem:
        return [*reached, proxies.tunnel_verdict(hop, target, problem)]


def _address(portal: str) -> tuple[str, int]:
    parts = urlsplit(portal)
    return parts.hostname or "", parts.port or 443


def _reach(host: str, port: int) -> list[Check]:
    name, found = network.check_name(host)
    return [name, network.check_port(host, port)[0]] if found else [name]


def _tls(config: AgentConfig, shake: Callable[[ssl.SSLContext], certificates.Shown]) -> Check:
    host, port = _address(config.portal)
    target, ca_file = f"{host}:{port}", config.portal_ca_file
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        found = f"the CA file can not be used: {error}"
        return Check("tls", target, "loaded the CA file", found, Status.FAIL, _TRUST_OPTIONS)
    return certificates.verdict(target, shake(context), None, datetime.now(UTC), _TRUST_OPTIONS)


def _calls(config: AgentConfig, identity: Identity, last: LastStatus | None, state: Path) -> list[Check]:
    http = open_portal(config)
    tried, now = "proved the agent's identity with a bootstrap call", datetime.now(UTC)
    try:
        answer = bootstrap(http, identity, config.name, {}, _report(last), now)
    except (WireError, AgentError) as error:
        failed = Check(
            "bootstrap", config.portal, tried, f"{error.code}: {error.detail}", Status.FAIL, _mend(error)
        )
        return [failed, skipped("bus", config.portal, "a poll of the bus", "the bootstrap failed")]
    welcome = Check("bootstrap", config.portal, tried, "welcome", Status.OK)
    skew = clocks.portal_verdict(config.portal, now, answer.server_time)
    buses = [_bus(http, url, answer) for url in answer.bus_urls]
    return [welcome, skew, *buses, *check_updates(http, state, answer.update_advice)]


def _report(last: LastStatus | None) -> dict[str, object]:
    # What the running agent would say: a look from outside must not overwrite what it reported.
    if last is None:
        return {}
    return {
        "counters": last.counters,
        "lastErrors": last.last_errors,
        "consecutiveFailures": last.consecutive_failures,
    }


def _bus(http: PortalHttp, url: str, answer: Bootstrapped) -> Check:
    tried = "polled the bus without waiting"
    started = datetime.now(UTC)
    try:
        lease = poll(http, url, answer.bus_token, wait=0)
        took = (datetime.now(UTC) - started).total_seconds() * 1000
        if lease is not None:
            # A request that came along meanwhile is for the running agent.
            hand_back(http, answer.bus_token, lease)
    except WireError as error:
        return Check("bus", url, tried, f"{error.code}: {error.detail}", Status.FAIL, _mend(error))
    return Check("bus", url, tried, f"answered after {took:.0f} ms", Status.OK)


def _mend(error: WireError | AgentError) -> str:
    remedies = {
        "ClockSkew": "Let NTP set this host's clock.",
        "AgentRevoked": "Enrol this agent again with a new token, if it should work once more.",
        "AgentUnknown": "Enrol this agent again with a new token.",
        "PortalCertificateUntrusted": f"Correct the trust: {_TRUST_OPTIONS}",
        "ProxyCredentialsRefused": "Correct the proxy's credentials file, or HTTPS_PROXY.",
        "PortalUnreachable": "Let the proxy or firewall pass HTTPS to the portal, chunked encoding included.",
        "UnreadableAnswer": "Something in between answers for the portal: exempt it from inspection.",
    }
    return remedies.get(error.code, "See the portal's log for this agent.")

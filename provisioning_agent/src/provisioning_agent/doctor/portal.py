"""The portal: the way there, a bootstrap, and the bus."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

from provisioning_agent.channel.bootstrap import Bootstrapped, bootstrap
from provisioning_agent.channel.bus import hand_back, poll
from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.channel.identity import Identity
from provisioning_agent.config import AgentConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.status import Status as LastStatus
from provisioning_agent.wire.errors import WireError

from . import certificates, clocks, network, proxies
from .model import Check, Family, Status, skipped

_TRUST_OPTIONS = "enrol again with --ca-file."


def check_portal(config: AgentConfig, identity: Identity, last: LastStatus | None) -> list[Check]:
    """From the proxy to the bus, as far as it goes."""
    proxy = proxies.find(config.portal)
    checks = [proxies.verdict(config.portal, proxy)]
    checks += _way(config, proxy)
    if any(check.status is Status.FAIL for check in checks):
        checks.append(skipped("bootstrap", config.portal, "a bootstrap", "the way there is not open"))
    else:
        checks += _calls(config, identity, last)
    return [check.of(Family.PORTAL) for check in checks]


def _way(config: AgentConfig, proxy: str | None) -> list[Check]:
    hop = proxies.first_hop(config.portal, proxy)
    name, found = network.check_name(hop.host)
    if not found:
        return [name]
    port, is_open = network.check_port(hop.host, hop.port)
    if not is_open or hop.is_proxy:
        # Behind a proxy the portal's certificate is judged by the bootstrap call.
        return [name, port]
    return [name, port, _tls(hop, config.portal_ca_file)]


def _tls(hop: proxies.Hop, ca_file: Path | None) -> Check:
    target = f"{hop.host}:{hop.port}"
    try:
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        found = f"the CA file can not be used: {error}"
        return Check("tls", target, "loaded the CA file", found, Status.FAIL, _TRUST_OPTIONS)
    shown = certificates.look(hop.host, hop.port, context)
    return certificates.verdict(target, shown, None, datetime.now(UTC), _TRUST_OPTIONS)


def _calls(config: AgentConfig, identity: Identity, last: LastStatus | None) -> list[Check]:
    http = PortalHttp(config.portal, config.portal_ca_file)
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
    return [welcome, skew, *(_bus(http, url, answer) for url in answer.bus_urls)]


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
        "PortalUnreachable": "Let the proxy or firewall pass HTTPS to the portal, chunked encoding included.",
        "UnreadableAnswer": "Something in between answers for the portal: exempt it from inspection.",
    }
    return remedies.get(error.code, "See the portal's log for this agent.")

"""The bootstrap call: proof of identity in, bus endpoints and a short-lived bus token out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from provisioning_agent.errors import AgentError
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import BOOTSTRAP_INTERVAL_S

from .http import PortalHttp, require_https
from .identity import Identity
from .registrations import host_facts


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """What the service answered; ``interval`` in seconds."""

    bus_urls: tuple[str, ...]
    bus_token: str = field(repr=False)
    interval: float
    renew_certificate: bool
    server_time: datetime | None
    sequence: str = ""
    listen: bool = False
    update: object = None
    update_advice: object = None


def bootstrap(
    http: PortalHttp,
    identity: Identity,
    name: str,
    presence: Mapping[str, str],
    report: Mapping[str, Any],
    now: datetime,
) -> Bootstrapped:
    """``POST bootstrap``."""
    url = http.url("bootstrap")
    answer = http.json("POST", url, identity.assertion(url, now), {**host_facts(name), **presence, **report})
    return _parse(answer)


def _parse(answer: dict[str, Any]) -> Bootstrapped:
    try:
        urls = tuple(require_https(str(endpoint["url"])) for endpoint in answer["bus"])
        token = answer["busToken"]
        interval = float(answer.get("bootstrapIntervalSeconds", BOOTSTRAP_INTERVAL_S))
        told = answer.get("serverTime")
        server_time = datetime.fromisoformat(told) if isinstance(told, str) else None
    except (KeyError, TypeError, ValueError, AgentError) as error:
        raise _unusable() from error
    if not urls or not isinstance(token, str) or not token or not 0 < interval <= 86_400:
        raise _unusable()
    sequence = answer.get("sequence")
    return Bootstrapped(
        urls,
        token,
        interval,
        answer.get("renewCertificate") is True,
        server_time,
        sequence if isinstance(sequence, str) else "",
        answer.get("changeNotification") is True,
        answer.get("update"),
        answer.get("updateAdvice"),
    )


def _unusable() -> WireError:
    return WireError("UnreadableAnswer", "The portal's bootstrap answer can not be used; update the agent.")

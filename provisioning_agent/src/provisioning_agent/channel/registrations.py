"""Registration and certificate renewal: a signing request in, a certificate out."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provisioning_agent import __version__
from provisioning_agent.wire.errors import WireError

from .http import PortalHttp
from .identity import Identity


@dataclass(frozen=True, slots=True)
class Registered:
    """What the service answered."""

    agent_id: str
    certificate_pem: str


def host_facts(name: str) -> dict[str, str]:
    """What an agent tells about its host."""
    return {"name": name, "version": __version__, "os": f"{platform.system()} {platform.release()}"}


def register(http: PortalHttp, token: str, csr: str, name: str) -> Registered:
    """``POST registrations`` with a one-time token."""
    answer = http.json("POST", http.url("registrations"), token, {"csr": csr, **host_facts(name)})
    return Registered(_text(answer, "agentId"), _text(answer, "certificate"))


def renew(http: PortalHttp, identity: Identity, csr: str, now: datetime) -> str:
    """``POST certificates``: the new certificate, PEM."""
    url = http.url("certificates")
    return _text(http.json("POST", url, identity.assertion(url, now), {"csr": csr}), "certificate")


def deregister(http: PortalHttp, identity: Identity, now: datetime) -> None:
    """``DELETE agents/{id}``: this agent is not welcome any more, by its own wish."""
    url = http.url(f"agents/{identity.agent_id}")
    http.send("DELETE", url, identity.assertion(url, now))


def _text(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value:
        raise WireError("UnreadableAnswer", f"The portal's answer lacks {name}; update the older of the two.")
    return value

"""Resource groupings: which domains this agent serves."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from provisioning_agent.config import DomainConfig

from .http import PortalHttp
from .identity import Identity


def put_groupings(
    http: PortalHttp, identity: Identity, domains: Iterable[DomainConfig], now: datetime
) -> None:
    """``PUT agents/{id}/resource-groupings`` with the complete list."""
    url = http.url(f"agents/{identity.agent_id}/resource-groupings")
    body = {
        "domains": [
            {"fqdn": one.fqdn, "netbios": one.netbios, "forest": one.forest, "sid": one.sid}
            for one in domains
        ]
    }
    http.json("PUT", url, identity.assertion(url, now), body)

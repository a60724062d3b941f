"""Which proxy is really on the way to the portal: the agent's own, else the environment's. NO_PROXY holds for both."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote

from requests.utils import get_environ_proxies, select_proxy, should_bypass_proxies

from provisioning_agent.proxy import ProxyConfig, basic, split


@dataclass(frozen=True, slots=True)
class Hop:
    """The proxy that is really used: host, port, the headers it wants, and who named it."""

    host: str
    port: int
    secure: bool
    named_by: str
    own: ProxyConfig | None = None
    user_info: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        """``Proxy-Authorization``, if there are credentials."""
        if self.own is not None:
            return self.own.headers()
        return {"Proxy-Authorization": basic(self.user_info)} if self.user_info else {}


def used(portal: str, own: ProxyConfig | None) -> Hop | None:
    """The proxy that calls to the portal take, None for a direct connection."""
    if own is not None:
        return None if is_exempt(portal) else _hop(own.url, "the agent's own setting", own)
    found = select_proxy(portal, get_environ_proxies(portal))
    return None if found is None else _hop(found, "the environment")


def is_exempt(portal: str) -> bool:
    """Whether NO_PROXY names the portal."""
    return bool(should_bypass_proxies(portal, no_proxy=None))


def _hop(url: str, named_by: str, own: ProxyConfig | None = None) -> Hop:
    parts = split(url if "://" in url else f"http://{url}")
    secure = parts.scheme == "https"
    user_info = unquote(parts.netloc.rpartition("@")[0])
    return Hop(parts.hostname or "", parts.port or (443 if secure else 80), secure, named_by, own, user_info)

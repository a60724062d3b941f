"""The way to the portal: direct or through a proxy, as the environment says."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from requests.utils import get_environ_proxies, select_proxy

from .model import Check, Status


class Hop(NamedTuple):
    """Host and port of what this host really connects to."""

    host: str
    port: int
    is_proxy: bool


def find(portal: str) -> str | None:
    """The proxy that calls to the portal take, None for a direct connection."""
    return select_proxy(portal, get_environ_proxies(portal))


def first_hop(portal: str, proxy: str | None) -> Hop:
    """Where the first connection goes."""
    parts = urlsplit(portal if proxy is None else _with_scheme(proxy))
    default = 443 if proxy is None or parts.scheme == "https" else 80
    return Hop(parts.hostname or "", parts.port or default, proxy is not None)


def verdict(portal: str, proxy: str | None) -> Check:
    """Which way is taken; the proxy's credentials are not shown."""
    tried = "read HTTPS_PROXY, ALL_PROXY and NO_PROXY"
    if proxy is None:
        return Check("proxy", portal, tried, "none; the portal is called directly", Status.OK)
    hop = first_hop(portal, proxy)
    found = f"calls to the portal go through {hop.host}:{hop.port}"
    if not hop.host:
        return Check("proxy", portal, tried, found, Status.FAIL, "Set HTTPS_PROXY to http://host:port.")
    return Check("proxy", portal, tried, found, Status.OK)


def _with_scheme(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"

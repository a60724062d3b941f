"""The way to the portal: direct, or through a proxy that opens a tunnel (CONNECT) to it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from provisioning_agent.channel.proxies import Hop
from provisioning_agent.errors import AgentError

from .model import Check, Status
from .network import TIMEOUT_S

_TRIED: Final = "read the agent's own setting, HTTPS_PROXY, ALL_PROXY and NO_PROXY"


class TunnelRefused(Exception):
    """The proxy answered, but with another status than 200; ``detail`` is what it said."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.detail = f"the proxy answers {status} {reason}".rstrip()
        super().__init__(self.detail)


def verdict(portal: str, hop: Hop | None, *, exempt: bool) -> Check:
    """Which way is taken; the proxy's credentials are not shown. ``exempt``: NO_PROXY overrules a setting."""
    if hop is None:
        why = "NO_PROXY names the portal" if exempt else "none"
        return Check("proxy", portal, _TRIED, f"{why}; the portal is called directly", Status.OK)
    found = f"calls to the portal go through {hop.host}:{hop.port}, by {hop.named_by}"
    if not hop.host:
        return Check("proxy", portal, _TRIED, found, Status.FAIL, "Set HTTPS_PROXY to http://host:port.")
    return Check("proxy", portal, _TRIED, found, Status.OK)


@contextmanager
def tunnel(hop: Hop, host: str, port: int, ca_file: Path | None) -> Iterator[socket.socket]:
    """A connection to host and port through the proxy (RFC 9110 §9.3.6); ``TunnelRefused``, ``OSError``.

    ``ca_file`` is the portal's: a proxy that is spoken to over TLS is trusted by the same authorities.
    """
    with _connected(hop, ca_file) as connection:
        name = f"[{host}]" if ":" in host else host
        lines = [f"CONNECT {name}:{port} HTTP/1.1", f"Host: {name}:{port}"]
        lines += [f"{key}: {value}" for key, value in hop.headers().items()]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        response = HTTPResponse(connection, method="CONNECT")
        try:
            response.begin()
        except HTTPException as error:
            raise TunnelRefused(0, "nothing that is HTTP") from error
        if response.status != 200:
            raise TunnelRefused(response.status, response.reason)
        yield connection


@contextmanager
def _connected(hop: Hop, ca_file: Path | None) -> Iterator[socket.socket]:
    with socket.create_connection((hop.host, hop.port), TIMEOUT_S) as plain:
        if not hop.secure:
            yield plain
            return
        context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        with context.wrap_socket(plain, server_hostname=hop.host) as wrapped:
            yield wrapped


def tunnel_verdict(hop: Hop, target: str, problem: Exception | None) -> Check:
    """What asking the proxy for a tunnel means."""
    tried = f"asked the proxy {hop.host}:{hop.port} for a tunnel to {target} (CONNECT)"
    if problem is None:
        return Check("tunnel", target, tried, "opened", Status.OK)
    return Check("tunnel", target, tried, _told(problem), Status.FAIL, _remedy(hop, problem))


def _told(problem: Exception) -> str:
    return problem.detail if isinstance(problem, TunnelRefused | AgentError) else str(problem)


def _remedy(hop: Hop, problem: Exception) -> str:
    if isinstance(problem, AgentError):
        return "Write user:password into the proxy's credentials file again: isthmus-agent proxy --help."
    if not isinstance(problem, TunnelRefused) or problem.status == 0:
        return "Check that this address is an HTTP proxy, and whether it wants http:// or https://."
    if problem.status == 407:
        if not hop.headers():
            return "The proxy wants a user and password: isthmus-agent proxy URL --credentials-file FILE."
        return "The proxy refuses the user or the password: correct the credentials file, or HTTPS_PROXY."
    return "Let the proxy allow CONNECT to the portal's host and port for this host."

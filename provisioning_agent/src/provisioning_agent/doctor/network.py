"""Names and ports: DNS and TCP."""

from __future__ import annotations

import socket
import time
from typing import Final

from .model import Check, Status

TIMEOUT_S: Final = 5.0
_SLOW_S: Final = 2.0


def check_name(host: str) -> tuple[Check, bool]:
    """Look the name up; the second part tells whether going on makes sense."""
    started = time.monotonic()
    try:
        addresses = sorted(
            {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        )
    except OSError as error:
        return name_verdict(host, [], str(error.strerror or error), time.monotonic() - started), False
    return name_verdict(host, addresses, "", time.monotonic() - started), True


def name_verdict(host: str, addresses: list[str], problem: str, seconds: float) -> Check:
    """What a look-up means."""
    tried = f"looked up {host}"
    if not addresses:
        return Check(
            "dns",
            host,
            tried,
            problem,
            Status.FAIL,
            "Correct the name, or the DNS servers in /etc/resolv.conf.",
        )
    found = f"{', '.join(addresses)} in {seconds:.2f} s"
    if seconds > _SLOW_S:
        return Check(
            "dns", host, tried, found, Status.WARN, "DNS is slow: check the servers in /etc/resolv.conf."
        )
    return Check("dns", host, tried, found, Status.OK)


def check_port(host: str, port: int) -> tuple[Check, bool]:
    """Open a TCP connection and close it."""
    started = time.monotonic()
    try:
        with socket.create_connection((host, port), TIMEOUT_S):
            pass
    except TimeoutError:
        return port_verdict(host, port, "timeout", time.monotonic() - started), False
    except ConnectionRefusedError:
        return port_verdict(host, port, "refused", time.monotonic() - started), False
    except OSError as error:
        return port_verdict(host, port, str(error.strerror or error), time.monotonic() - started), False
    return port_verdict(host, port, "", time.monotonic() - started), True


_REMEDIES: Final = {
    "timeout": "Nothing answered: let the firewall pass this connection outbound.",
    "refused": "The host answers but nothing listens there: check the port and that the service runs.",
}


def port_verdict(host: str, port: int, problem: str, seconds: float) -> Check:
    """What a connection attempt means; ``problem`` is empty where it succeeded."""
    target, tried = f"{host}:{port}", f"opened a TCP connection to {host} port {port}"
    if problem:
        remedy = _REMEDIES.get(problem, "Check routing and the network between this host and that one.")
        return Check("tcp", target, tried, f"{problem} after {seconds:.2f} s", Status.FAIL, remedy)
    return Check("tcp", target, tried, f"connected in {seconds * 1000:.0f} ms", Status.OK)

"""Domain controllers from DNS: the SRV records that every controller registers (MS-ADTS §6.3.2.3)."""

from __future__ import annotations

from typing import Final

import dns.exception
import dns.resolver

from provisioning_agent.errors import AgentError

_LIFETIME_S: Final = 10.0


def controllers(domain: str, nameserver: str | None = None) -> tuple[str, ...]:
    """Host names, those the domain prefers first (RFC 2782); ``ControllersNotFound`` if DNS names none."""
    name = f"_ldap._tcp.dc._msdcs.{domain}"
    try:
        answer = _resolver(nameserver).resolve(name, "SRV", lifetime=_LIFETIME_S)
    except dns.exception.DNSException as error:
        raise AgentError(
            "ControllersNotFound",
            f"DNS has no answer for {name} ({type(error).__name__}); name servers, or a nameserver that knows it.",
        ) from error
    records = sorted(answer, key=lambda one: (one.priority, -one.weight, str(one.target)))
    return tuple(str(one.target).rstrip(".") for one in records)


def _resolver(nameserver: str | None) -> dns.resolver.Resolver:
    if nameserver is None:
        return dns.resolver.Resolver()
    address, _, port = nameserver.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [address], int(port or 53)
    return resolver

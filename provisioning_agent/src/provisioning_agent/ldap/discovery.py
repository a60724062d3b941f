"""Domain controllers from DNS: the SRV records that every controller registers (MS-ADTS §6.3.2.3)."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import dns.exception
import dns.resolver

from provisioning_agent.errors import AgentError

from .tls import Trust

LIFETIME_S: Final = 10.0


class Record(NamedTuple):
    """What an SRV record says; its port is that of plain LDAP, which nobody uses here."""

    priority: int
    weight: int
    target: str


def controllers(
    domain: str, nameserver: str | None = None, lifetime_s: float = LIFETIME_S
) -> tuple[str, ...]:
    """Host names in the order to try; ``ControllersNotFound`` if DNS names none."""
    name = f"_ldap._tcp.dc._msdcs.{domain}"
    try:
        answer = _resolver(nameserver).resolve(name, "SRV", lifetime=lifetime_s)
    except dns.exception.DNSException as error:
        raise AgentError(
            "ControllersNotFound",
            f"DNS has no answer for {name} ({type(error).__name__}); name servers, or a nameserver that knows it.",
        ) from error
    records = (Record(one.priority, one.weight, str(one.target).rstrip(".").lower()) for one in answer)
    # A lone dot says that the service is not to be had (RFC 2782).
    return tuple(in_order([one for one in records if one.target]))


def to_be_asked(
    domain: str, nameserver: str | None, trust: Trust, lifetime_s: float = LIFETIME_S
) -> tuple[str, ...]:
    """Those of the controllers that a password may be sent to; ``ControllersNotFound`` if there is none."""
    names = controllers(domain, nameserver, lifetime_s)
    found = may_be_asked(names, domain, trust)
    if not found:
        raise AgentError(
            "ControllersNotFound",
            f"DNS names {', '.join(names)}, none of them below {domain}; name the CA of their certificates.",
        )
    return found


def may_be_asked(names: Iterable[str], domain: str, trust: Trust) -> tuple[str, ...]:
    """DNS can be forged and a public CA certifies any name: where the system's CAs are all that is trusted, only
    names below the domain are taken.
    """
    own = trust.ca_file is not None or trust.fingerprint is not None
    return tuple(name for name in names if own or name.endswith(f".{domain.lower()}"))


def in_order(records: Iterable[Record], chance: random.Random | None = None) -> list[str]:
    """Lowest priority first; among equals drawn by weight, so that agents spread over them (RFC 2782)."""
    # Not a secret: it spreads load.
    draw = chance or random.Random()  # noqa: S311
    left = sorted(records, key=lambda one: (one.priority, one.weight, one.target))
    found: list[str] = []
    while left:
        equals = [one for one in left if one.priority == left[0].priority]
        drawn = _drawn(equals, draw)
        left.remove(drawn)
        found.append(drawn.target)
    return found


def _drawn(equals: Sequence[Record], draw: random.Random) -> Record:
    """One of them: the first whose running sum of weights reaches a number drawn from 0 to the whole."""
    mark = draw.randint(0, sum(one.weight for one in equals))
    for one in equals:
        mark -= one.weight
        if mark <= 0:
            return one
    raise AssertionError("the sum of all weights is never below a number drawn from it")


def _resolver(nameserver: str | None) -> dns.resolver.Resolver:
    if nameserver is None:
        return dns.resolver.Resolver()
    address, _, port = nameserver.partition(":")
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [address], int(port or 53)
    return resolver

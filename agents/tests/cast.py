"""Agents, domains and requests to test with; agents own real keys and certificates."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from agents import authority, bus_tokens
from agents.bus import requests
from agents.heartbeat import INTERVAL, state_at
from agents.identity import Identity
from agents.models import Agent, BusRequest, Domain, ResourceGrouping
from agents.tests.events import KIND
from provisioning_agent.wire.assertion import make_assertion, thumbprint
from provisioning_agent.wire.pages import Page, encode_page

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Member:
    """An agent of the cast with its private key."""

    agent: Agent
    key: ec.EllipticCurvePrivateKey

    @property
    def id(self) -> uuid.UUID:
        return self.agent.pk

    def identity(self) -> Identity:
        row = Agent.objects.get(pk=self.agent.pk)
        return Identity(row.pk, row.certificate_thumbprint, row.certificate_not_after)

    def assertion(self, audience: str, now: datetime) -> str:
        row = Agent.objects.get(pk=self.agent.pk)
        return make_assertion(self.key, row.certificate, str(row.pk), audience, now)

    def bus_token(self, now: datetime) -> str:
        row = Agent.objects.get(pk=self.agent.pk)
        return bus_tokens.make(row.pk, row.certificate_thumbprint, now)[0]


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def make_csr(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def make_domain(fqdn: str = "corp.example", number: int = 1) -> Domain:
    return Domain.objects.create(
        fqdn=fqdn, netbios=fqdn.split(".")[0].upper(), forest=fqdn, sid=f"S-1-5-21-1-2-{number}"
    )


def make_agent(
    *domains: Domain, name: str = "srv1", bootstrapped_at: datetime | None = NOW, issued_at: datetime = NOW
) -> Member:
    key = new_key()
    agent = Agent(name=name, last_bootstrap_at=bootstrapped_at)
    issued = authority.issue_agent_certificate(
        authority.current(issued_at), key.public_key(), str(agent.pk), issued_at
    )
    agent.certificate, agent.certificate_thumbprint = authority.to_pem(issued), thumbprint(issued)
    agent.certificate_not_after = issued.not_valid_after_utc
    agent.state, agent.state_due_at = state_at(bootstrapped_at, INTERVAL, None, bootstrapped_at or issued_at)
    agent.save()
    ResourceGrouping.objects.bulk_create(ResourceGrouping(agent=agent, domain=domain) for domain in domains)
    return Member(agent, key)


def queue(domain: Domain, now: datetime = NOW, body: dict[str, Any] | None = None) -> BusRequest:
    return requests.enqueue(
        domain=domain, kind=KIND, body=body or {"count": 1000}, correlation_id=uuid.uuid4(), now=now
    )


def page(number: int = 1, *, last: bool = False, resources: list[dict[str, Any]] | None = None) -> bytes:
    return encode_page(
        Page(
            resources=resources or [],
            mode="initial",
            next_cursor=None if last else str(number + 1),
            complete=last,
            watermark="w1" if last else None,
        )
    )


def later(**parts: float) -> datetime:
    return NOW + timedelta(**parts)

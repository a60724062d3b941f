"""Who calls: an agent by its signed assertion (RFC 7523), or by the bus token it got at bootstrap."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from django.db import connection
from django.db.models import Q, QuerySet

from agents import bus_tokens
from agents.models import Agent, SeenAssertion
from provisioning_agent.wire import assertion
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import CLOCK_SKEW_S

# What a bus token is checked against.
_OF_TOKENS: Final = ("id", "revoked_at", "certificate_thumbprint", "previous_thumbprint")


@dataclass(frozen=True, slots=True)
class Identity:
    """A recognised agent and the thumbprint of the certificate it proved itself with."""

    agent_id: uuid.UUID
    thumbprint: str
    certificate_not_after: datetime


def by_assertion(token: str, audience: str, now: datetime) -> Identity:
    """The agent that signed this call to ``audience`` just now; raises :class:`WireError`."""
    used = assertion.unverified_header(token)["x5t#S256"]
    agent = _agents_with(used).first()
    if agent is None:
        raise WireError("AgentUnknown")
    certificate = _certificate(agent, used)
    claims = assertion.verify_assertion(token, certificate, audience, now)
    if claims.agent_id != str(agent.id):
        raise WireError("AssertionInvalid", "The assertion names another agent; enrol the agent again.")
    _refuse_revoked(agent)
    _refuse_expired(certificate, now)
    _refuse_replay(claims, now)
    return Identity(agent.id, used, certificate.not_valid_after_utc)


def by_bus_token(text: str, now: datetime) -> uuid.UUID:
    """The id of the agent that holds this bus token, if the agent is still welcome."""
    token = bus_tokens.read(text, now)
    agent = Agent.objects.only(*_OF_TOKENS).filter(pk=token.agent_id).first()
    if agent is None or token.thumbprint not in (agent.certificate_thumbprint, agent.previous_thumbprint):
        raise WireError("BusTokenInvalid")
    _refuse_revoked(agent)
    return agent.id


def forget_seen(now: datetime) -> int:
    """Drop the assertions that could not be replayed any more; returns how many."""
    return SeenAssertion.objects.filter(expires_at__lt=now).delete()[0]


def _agents_with(thumbprint: str) -> QuerySet[Agent]:
    return Agent.objects.filter(Q(certificate_thumbprint=thumbprint) | Q(previous_thumbprint=thumbprint))


def _certificate(agent: Agent, thumbprint: str) -> x509.Certificate:
    is_newest = agent.certificate_thumbprint == thumbprint
    pem = agent.certificate if is_newest else agent.previous_certificate
    return x509.load_pem_x509_certificate(pem.encode())


def _refuse_revoked(agent: Agent) -> None:
    if agent.revoked_at is not None:
        raise WireError("AgentRevoked")


def _refuse_expired(certificate: x509.Certificate, now: datetime) -> None:
    ended = certificate.not_valid_after_utc
    if ended <= now:
        raise WireError(
            "AssertionInvalid", f"The agent's certificate expired on {ended:%Y-%m-%d}; enrol the agent again."
        )


def _refuse_replay(claims: assertion.Claims, now: datetime) -> None:
    """Remember the assertion; one that was there before is a replay. The digest keeps agents' ids apart."""
    digest = hashlib.sha256(f"{claims.agent_id}\n{claims.jti}".encode()).hexdigest()
    until = datetime.fromtimestamp(claims.expires_at, tz=UTC) + timedelta(seconds=CLOCK_SKEW_S)
    if not remember(digest, max(until, now)):
        raise WireError("AssertionReplayed")


def remember(digest: str, until: datetime) -> bool:
    """Remember the SHA-256 of something that counts once; false if it is there already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agents_seenassertion (jti, expires_at) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [digest, until],
        )
        return bool(cursor.rowcount == 1)

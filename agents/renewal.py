"""Renewal of an agent's certificate in its last 30 days."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction

from agents import authority, certificate_requests
from agents.identity import Identity
from agents.models import Agent
from provisioning_agent.wire.assertion import thumbprint
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import RENEWAL_DAYS


def renew(identity: Identity, csr_pem: str, now: datetime) -> Agent:
    """The agent with its new certificate; the one it came with stays good until the new one is used.

    The same key again answers the same certificate, so that a lost answer loses nothing.
    """
    key = certificate_requests.public_key(csr_pem)
    if identity.certificate_not_after - now > timedelta(days=RENEWAL_DAYS):
        raise WireError("RenewalTooEarly")
    with transaction.atomic():
        agent = Agent.objects.select_for_update(no_key=True).get(pk=identity.agent_id)
        if agent.revoked_at is not None:
            raise WireError("AgentRevoked")
        if not _is_answered(agent, identity, key):
            _issue(agent, identity, key, now)
    return agent


def _is_answered(agent: Agent, identity: Identity, key: ec.EllipticCurvePublicKey) -> bool:
    is_repeated = agent.certificate_thumbprint != identity.thumbprint
    return is_repeated and certificate_requests.same_key(agent.certificate, key)


def _issue(agent: Agent, identity: Identity, key: ec.EllipticCurvePublicKey, now: datetime) -> None:
    if agent.certificate_thumbprint == identity.thumbprint:
        agent.previous_certificate = agent.certificate
        agent.previous_thumbprint = agent.certificate_thumbprint
    certificate = authority.issue_agent_certificate(authority.current(now), key, str(agent.pk), now)
    agent.certificate = authority.to_pem(certificate)
    agent.certificate_thumbprint = thumbprint(certificate)
    agent.certificate_not_after = certificate.not_valid_after_utc
    agent.save()

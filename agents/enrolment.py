"""Letting an agent in: one-time tokens, and the registration that uses one up."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.utils import timezone

from agents import authority, certificate_requests
from agents.facts import HostFacts
from agents.models import Agent, EnrolmentToken
from provisioning_agent.wire.assertion import thumbprint
from provisioning_agent.wire.errors import WireError

# How long a registration whose answer was lost may be repeated with the same key.
REPEAT_WITHIN: Final = timedelta(minutes=10)
_TEXT: Final = re.compile(r"isthmus-([a-z0-9]{8})-[A-Za-z0-9_-]{43}\Z")
_HINT_ALPHABET: Final = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True)
class Registration:
    """The answer to a registration; certificates as PEM."""

    agent_id: str
    certificate: str
    authority: str
    not_after: datetime


def create_token(
    label: str, lifetime: timedelta, user: AbstractBaseUser | AnonymousUser | None, *, issued_to: str = ""
) -> tuple[EnrolmentToken, str]:
    """A new token and its clear text, which is known here only and can not be shown again.

    ``issued_to`` says who got it where that is no user of the console.
    """
    hint = "".join(secrets.choice(_HINT_ALPHABET) for _ in range(8))
    text = f"isthmus-{hint}-{secrets.token_urlsafe(32)}"
    token = EnrolmentToken.objects.create(
        label=label,
        hint=hint,
        digest=_digest(text),
        created_by_id=user.pk if user is not None else None,
        issued_to=issued_to,
        expires_at=timezone.now() + lifetime,
    )
    return token, text


def register(token_text: str, csr_pem: str, facts: HostFacts, now: datetime) -> Registration:
    """Use up the token for a new agent; the same token and key again within ten minutes answer the same."""
    with transaction.atomic():
        token = _find(token_text)
        if token.used_at is not None:
            return _repeated(token, csr_pem, now)
        if token.expires_at <= now:
            raise WireError("EnrolmentTokenExpired")
        agent = _create_agent(certificate_requests.public_key(csr_pem), facts, now)
        token.used_at, token.used_by = now, agent
        token.save(update_fields=["used_at", "used_by"])
        return _answer(agent, now)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _find(token_text: str) -> EnrolmentToken:
    shape = _TEXT.match(token_text)
    tokens = EnrolmentToken.objects.select_for_update(of=("self",)).select_related("used_by")
    token = tokens.filter(hint=shape.group(1)).first() if shape else None
    if token is None or not hmac.compare_digest(token.digest, _digest(token_text)):
        raise WireError("EnrolmentTokenUnknown")
    return token


def _repeated(token: EnrolmentToken, csr_pem: str, now: datetime) -> Registration:
    agent = token.used_by
    is_recent = token.used_at is not None and now - token.used_at <= REPEAT_WITHIN
    if agent is None or not is_recent or agent.revoked_at is not None:
        raise WireError("EnrolmentTokenUsed")
    if not certificate_requests.same_key(agent.certificate, certificate_requests.public_key(csr_pem)):
        raise WireError("EnrolmentTokenUsed")
    return _answer(agent, now)


def _create_agent(key: ec.EllipticCurvePublicKey, facts: HostFacts, now: datetime) -> Agent:
    agent = Agent(
        name=facts.name,
        version=facts.version,
        operating_system=facts.operating_system,
        external_ip=facts.address,
    )
    certificate = authority.issue_agent_certificate(authority.current(now), key, str(agent.id), now)
    agent.certificate = authority.to_pem(certificate)
    agent.certificate_thumbprint = thumbprint(certificate)
    agent.certificate_not_after = certificate.not_valid_after_utc
    agent.save()
    return agent


def _answer(agent: Agent, now: datetime) -> Registration:
    issuer = authority.current(now).pem
    return Registration(str(agent.id), agent.certificate, issuer, agent.certificate_not_after)

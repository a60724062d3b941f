"""Bus tokens: short-lived, signed by us, bound to one agent and one certificate of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.core.signing import BadSignature, Signer

from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import BUS_TOKEN_MINUTES

_SALT: Final = "isthmus.agents.bus"


@dataclass(frozen=True, slots=True)
class BusToken:
    """What a bus token says."""

    agent_id: uuid.UUID
    thumbprint: str
    expires_at: datetime


def make(agent_id: uuid.UUID, thumbprint: str, now: datetime) -> tuple[str, datetime]:
    """A token for the next 20 minutes, and the moment it expires."""
    expires_at = now + timedelta(minutes=BUS_TOKEN_MINUTES)
    content = [agent_id.hex, thumbprint, int(expires_at.timestamp())]
    return Signer(salt=_SALT).sign_object(content), expires_at


def read(text: str, now: datetime) -> BusToken:
    """What the token says; raises ``BusTokenInvalid`` or ``BusTokenExpired``."""
    try:
        agent_id, thumbprint, expires = Signer(salt=_SALT).unsign_object(text)
    except (BadSignature, ValueError) as error:
        raise WireError("BusTokenInvalid") from error
    token = BusToken(uuid.UUID(agent_id), thumbprint, datetime.fromtimestamp(expires, tz=now.tzinfo))
    if token.expires_at <= now:
        raise WireError("BusTokenExpired")
    return token

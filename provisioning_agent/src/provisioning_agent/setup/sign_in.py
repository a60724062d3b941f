"""What the portal says about signing in with Entra, and the exchange of a sign-in for an enrolment token."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning_agent.channel.http import PortalHttp, require_https
from provisioning_agent.wire.errors import WireError


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a person signs in, and as which application."""

    authority: str
    client_id: str


def offered(http: PortalHttp) -> Offer | None:
    """``GET sign-in``; None where the portal takes tokens only."""
    try:
        told = http.json("GET", http.url("sign-in"), "").get("entra")
    except WireError as error:
        if error.status == 404:
            # An older portal.
            return None
        raise
    if told is None:
        return None
    if not isinstance(told, dict):
        raise WireError("UnreadableAnswer")
    return Offer(require_https(_text(told.get("authority"))), _text(told.get("clientId")))


def enrolment_token(http: PortalHttp, id_token: str) -> str:
    """``POST enrolment-tokens``: a one-time token for whoever signed in."""
    return _text(http.json("POST", http.url("enrolment-tokens"), id_token, {}).get("token"))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise WireError(
            "UnreadableAnswer", "The portal's answer about signing in can not be used; update the agent."
        )
    return value

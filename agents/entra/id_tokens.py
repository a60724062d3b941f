"""Judging an ID token of Entra: by whom, for whom, when, and whether that person may add agents. No I/O here.

Rules: OpenID Connect Core 1.0 §3.1.3.7; claims as Entra has them in tokens of version 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from agents.entra.tie import Tie
from agents.errors import refusal

# Somebody signed in just now: an older token comes from somewhere else.
FRESH_FOR: Final = timedelta(minutes=15)
SKEW: Final = timedelta(minutes=1)
_LONGEST: Final = 16 * 1024
_REQUIRED: Final = ["iss", "aud", "exp", "iat", "sub", "oid", "tid"]


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in; ``expires_at`` is when the token can not be used any more."""

    object_id: str
    name: str
    expires_at: datetime

    @property
    def shown(self) -> str:
        """Name and object id, for people who look into it later."""
        return f"{self.name} ({self.object_id})" if self.name else self.object_id


def key_id(token: str) -> str:
    """The id of the key that is said to have signed it."""
    if len(token) > _LONGEST:
        raise refusal("EntraTokenInvalid")
    try:
        header = jwt.get_unverified_header(token)
    except PyJWTError as error:
        raise refusal("EntraTokenInvalid") from error
    found = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(found, str):
        raise refusal("EntraTokenInvalid")
    return found


def judge(token: str, key: PyJWK | None, tie: Tie, now: datetime) -> Person:
    """The person who signed in; ``EntraTokenInvalid`` or ``EntraPersonNotAllowed``."""
    if key is None:
        raise refusal("EntraTokenInvalid", "The sign-in was not signed by Entra; sign in again.")
    claims = _verified(token, key, tie, now)
    person = _person(claims, now)
    _require_allowed(claims, tie, person)
    return person


def _verified(token: str, key: PyJWK, tie: Tie, now: datetime) -> Mapping[str, Any]:
    try:
        # Times are judged below, by the clock that was given.
        options: Any = {"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims = jwt.decode(
            token, key, algorithms=["RS256"], audience=tie.client_id, issuer=tie.issuer, options=options
        )
    except PyJWTError as error:
        raise refusal("EntraTokenInvalid", _SENTENCES.get(type(error))) from error
    if claims["tid"] != tie.tenant:
        raise refusal("EntraTokenInvalid", "The sign-in belongs to another tenant; sign in to this portal's.")
    if not isinstance(claims["exp"], int) or not isinstance(claims["iat"], int):
        raise refusal("EntraTokenInvalid")
    issued, ends = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
    if ends + SKEW <= now or issued + FRESH_FOR + SKEW <= now:
        raise refusal("EntraTokenInvalid", "The sign-in is too long ago; sign in again.")
    if issued - SKEW > now:
        raise refusal(
            "EntraTokenInvalid", "The sign-in is from the future; correct the portal's clock (NTP)."
        )
    return claims


_SENTENCES: Final[Mapping[type[PyJWTError], str]] = {
    jwt.InvalidAudienceError: "The sign-in was for another application; check the portal's client id.",
    jwt.InvalidIssuerError: "The sign-in is of another tenant or cloud; sign in to this portal's.",
    jwt.MissingRequiredClaimError: "The sign-in lacks what Entra puts into an ID token; sign in again.",
    jwt.InvalidSignatureError: "The sign-in was not signed by Entra; sign in again.",
}


def _person(claims: Mapping[str, Any], now: datetime) -> Person:
    name = claims.get("preferred_username") or claims.get("name") or ""
    readable = "".join(letter for letter in str(name) if letter.isprintable())[:120]
    return Person(str(claims["oid"])[:64], readable, now + FRESH_FOR + 2 * SKEW)


def _require_allowed(claims: Mapping[str, Any], tie: Tie, person: Person) -> None:
    held = {person.object_id, *_texts(claims.get("roles")), *_texts(claims.get("groups"))}
    if not tie.enrollers.isdisjoint(held):
        return
    if "groups" in (claims.get("_claim_names") or {}):
        raise refusal(
            "EntraPersonNotAllowed",
            f"{person.shown} is in more groups than Entra lists in a token; assign an app role instead.",
        )
    raise refusal(
        "EntraPersonNotAllowed",
        f"{person.shown} may not add agents; assign the app role or group that ISTHMUS_ENTRA_ENROLLERS names.",
    )


def _texts(value: object) -> set[str]:
    return {one for one in value if isinstance(one, str)} if isinstance(value, list) else set()

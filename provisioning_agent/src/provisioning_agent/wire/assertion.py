"""Client assertions: a short-lived ES256 JWT signed with the key of the agent's certificate (RFC 7523 §3)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .errors import WireError
from .limits import ASSERTION_LIFETIME_S, CLOCK_SKEW_S

ALGORITHM = "ES256"
_REQUIRED = ("iss", "sub", "aud", "iat", "exp", "jti")


@dataclass(frozen=True, slots=True)
class Claims:
    """The verified content of an assertion; times are seconds since the epoch."""

    agent_id: str
    audience: str
    issued_at: int
    expires_at: int
    jti: str


def thumbprint(certificate: x509.Certificate) -> str:
    """``x5t#S256`` of RFC 7515 §4.1.8: base64url SHA-256 of the DER certificate, without padding."""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def make_assertion(
    private_key: ec.EllipticCurvePrivateKey, certificate_pem: str, agent_id: str, audience: str, now: datetime
) -> str:
    """Sign one call: ``audience`` is the full URL called, ``now`` an aware UTC time."""
    issued = int(now.timestamp())
    claims = {
        "iss": agent_id,
        "sub": agent_id,
        "aud": audience,
        "iat": issued,
        "exp": issued + ASSERTION_LIFETIME_S,
        "jti": secrets.token_urlsafe(18),
    }
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    return jwt.encode(claims, private_key, algorithm=ALGORITHM, headers={"x5t#S256": thumbprint(certificate)})


def unverified_header(token: str) -> dict[str, Any]:
    """The header of an assertion, to find the certificate by its ``x5t#S256``; nothing is verified here."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise WireError(
            "AssertionInvalid", "The bearer token is not a signed assertion; enrol the agent."
        ) from error
    if not isinstance(header.get("x5t#S256"), str):
        raise WireError("AssertionInvalid", "The assertion does not name its certificate; update the agent.")
    return header


def verify_assertion(token: str, certificate: x509.Certificate, audience: str, now: datetime) -> Claims:
    """Check signature, binding, audience and time; that the ``jti`` is new is the caller's to check."""
    if unverified_header(token)["x5t#S256"] != thumbprint(certificate):
        raise WireError("AssertionInvalid", "The assertion names another certificate; enrol the agent again.")
    claims = _verified_claims(token, certificate, audience)
    _check_times(claims.issued_at, claims.expires_at, int(now.timestamp()))
    return claims


def _verified_claims(token: str, certificate: x509.Certificate, audience: str) -> Claims:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise WireError("AssertionInvalid", "The certificate has no EC key; enrol the agent again.")
    # Times are judged by _check_times, which knows the difference between "late" and "wrong clock".
    options: Any = {
        "require": list(_REQUIRED),
        "verify_exp": False,
        "verify_iat": False,
        "verify_nbf": False,
        # One audience, not a list that happens to hold ours: an assertion serves one call.
        "strict_aud": True,
    }
    try:
        found = jwt.decode(token, key, algorithms=[ALGORITHM], audience=audience, options=options)
    except jwt.InvalidAudienceError as error:
        raise WireError(
            "AssertionInvalid", "The assertion was made for another URL; check the portal URL the agent uses."
        ) from error
    except (jwt.InvalidTokenError, TypeError) as error:
        # TypeError: PyJWT's answer to some claims of another type than they should have.
        raise WireError("AssertionInvalid") from error
    return _claims(found, audience)


def _claims(found: dict[str, Any], audience: str) -> Claims:
    texts_fine = all(isinstance(found[name], str) and found[name] for name in ("iss", "sub", "jti"))
    times_fine = all(type(found[name]) is int for name in ("iat", "exp"))
    if not texts_fine or not times_fine or found["iss"] != found["sub"] or len(found["jti"]) > 128:
        raise WireError("AssertionInvalid", "The assertion's claims are not as agreed; update the agent.")
    return Claims(found["sub"], audience, found["iat"], found["exp"], found["jti"])


def _check_times(issued: int, expires: int, now: int) -> None:
    if expires - issued > ASSERTION_LIFETIME_S or expires <= issued:
        raise WireError(
            "AssertionInvalid", f"An assertion may live {ASSERTION_LIFETIME_S} seconds; update the agent."
        )
    if issued - now > CLOCK_SKEW_S:
        raise WireError("ClockSkew", _skew(issued - now, "ahead of"))
    if now - expires > CLOCK_SKEW_S:
        raise WireError("ClockSkew", _skew(now - issued, "behind"))
    if now > expires:
        raise WireError("AssertionExpired")


def _skew(seconds: int, direction: str) -> str:
    return f"The agent's clock is {seconds} seconds {direction} the service's; correct the wrong one (NTP)."

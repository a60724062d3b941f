"""TLS: whether a server's chain and name are trusted, and for how long."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from provisioning_agent.ldap.tls import fingerprint_of

from .model import Check, Status
from .network import TIMEOUT_S

_WARN_DAYS: Final = 21
# X509_verify_cert_error codes of OpenSSL.
_EXPIRED: Final = 10
_NOT_YET: Final = 9
_NAME: Final = frozenset({62, 64})
_CHAIN: Final = frozenset({18, 19, 20, 21})


@dataclass(frozen=True, slots=True)
class Shown:
    """The certificate a server showed, and OpenSSL's objection (0: none)."""

    not_after: datetime | None = None
    fingerprint: str = ""
    protocol: str = ""
    objection: int = 0
    message: str = ""


def look(host: str, port: int, context: ssl.SSLContext) -> Shown:
    """Connect, shake hands and hang up; nothing is sent."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as plain:
            return shake_hands(plain, host, context)
    except OSError as error:
        return Shown(objection=-1, message=str(error) or type(error).__name__)


def shake_hands(plain: socket.socket, host: str, context: ssl.SSLContext) -> Shown:
    """The certificate that is shown over a connection there is."""
    try:
        with context.wrap_socket(plain, server_hostname=host) as wrapped:
            raw = wrapped.getpeercert(binary_form=True) or b""
            ends = x509.load_der_x509_certificate(raw).not_valid_after_utc
            return Shown(ends, fingerprint_of(raw), wrapped.version() or "")
    except ssl.SSLCertVerificationError as error:
        return Shown(objection=error.verify_code, message=error.verify_message)
    except (OSError, ValueError) as error:
        return Shown(objection=-1, message=str(error) or type(error).__name__)


def verdict(target: str, shown: Shown, pinned: str | None, now: datetime, options: str) -> Check:
    """What the hand-shake means; ``options`` says how the trust is corrected."""
    tried = (
        "shook hands and compared the certificate" if pinned else "shook hands and verified chain and name"
    )
    if shown.objection:
        return Check("tls", target, tried, shown.message, Status.FAIL, _remedy(shown.objection, options))
    if pinned and shown.fingerprint != pinned:
        found = f"the certificate has the SHA-256 {shown.fingerprint}, the confirmed one is {pinned}"
        return Check(
            "tls", target, tried, found, Status.FAIL, f"Compare it on the server, then confirm it: {options}"
        )
    return _lifetime(target, tried, shown, now)


def _lifetime(target: str, tried: str, shown: Shown, now: datetime) -> Check:
    days = (shown.not_after - now).days if shown.not_after else 0
    found = f"{shown.protocol}, the certificate is good for {days} more days"
    if days < 0:
        remedy = "The certificate has expired: renew it on the server."
        return Check("tls", target, tried, found, Status.WARN, remedy)
    if days < _WARN_DAYS:
        return Check("tls", target, tried, found, Status.WARN, "Renew the server's certificate soon.")
    return Check("tls", target, tried, found, Status.OK)


def _remedy(objection: int, options: str) -> str:
    if objection == _EXPIRED:
        return "Renew the server's certificate, or correct this host's clock."
    if objection == _NOT_YET:
        return "Correct the clock (NTP) of this host or of the server."
    if objection in _NAME:
        return "Use the name that is in the certificate, or issue one with this name as subjectAltName."
    if objection in _CHAIN:
        return f"Name the CA that issued the certificate: {options}"
    return "Check that this port speaks TLS 1.2 or newer and that nothing in between intercepts it."

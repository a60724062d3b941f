"""Trust in a domain controller: its certificate is judged before any credential is sent."""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ldap3 import Tls

from .errors import DirectoryError


@dataclass(frozen=True, slots=True)
class Trust:
    """What the certificate must be: the one with this SHA-256 (hex), else of this CA, else of a system CA."""

    ca_file: Path | None = None
    fingerprint: str | None = None

    def context(self) -> ssl.SSLContext:
        """A client context; only a pinned certificate may skip the chain, because it is compared itself."""
        if self.fingerprint is None:
            return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        return _unchained()


def normalise_fingerprint(text: str) -> str:
    """Lower-case hex without separators; ``ValueError`` unless it is a SHA-256."""
    plain = text.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if len(plain) != 64 or not all(character in "0123456789abcdef" for character in plain):
        raise ValueError("a fingerprint is the SHA-256 of the certificate: 64 hexadecimal digits")
    return plain


def fingerprint_of(der: bytes) -> str:
    """SHA-256 of a DER certificate as lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def presented_fingerprint(host: str, port: int, timeout: float) -> str:
    """The fingerprint a server shows now: for a person to compare, sends nothing beyond the handshake."""
    with (
        socket.create_connection((host, port), timeout) as plain,
        _unchained().wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        return fingerprint_of(wrapped.getpeercert(binary_form=True) or b"")


def _unchained() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class VerifiedTls(Tls):
    """ldap3's TLS seam with real verification; remembers why it refused, which ldap3 would turn into text."""

    def __init__(self, trust: Trust) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self.trust = trust
        self.refusal: DirectoryError | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Shake hands and judge the certificate before ldap3 may write a byte."""
        host = connection.server.host
        try:
            wrapped = self.trust.context().wrap_socket(connection.socket, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            self.refusal = _untrusted(host, error.verify_message)
            raise
        if self.trust.fingerprint is not None:
            self._compare(wrapped, host, self.trust.fingerprint)
        connection.socket = wrapped

    def _compare(self, wrapped: ssl.SSLSocket, host: str, pinned: str) -> None:
        shown = fingerprint_of(wrapped.getpeercert(binary_form=True) or b"")
        if not hmac.compare_digest(shown, pinned):
            wrapped.close()
            self.refusal = _untrusted(host, f"it has the SHA-256 fingerprint {shown}, not the confirmed one")
            raise ssl.SSLError("certificate fingerprint differs")


def _untrusted(host: str, why: str) -> DirectoryError:
    return DirectoryError(
        "AdCertificateUntrusted",
        f"The certificate of {host} is not trusted ({why}); give its CA with --dc-ca-file or confirm it "
        "with --dc-fingerprint.",
    )

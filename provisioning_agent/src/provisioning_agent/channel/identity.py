"""The agent's key and certificate: one private PEM file, so that the two never part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from provisioning_agent.errors import AgentError
from provisioning_agent.files import write_private
from provisioning_agent.wire.assertion import make_assertion

_FILE: Final = "identity.pem"
_PENDING: Final = "pending-key.pem"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the agent is to the service."""

    agent_id: str
    key: ec.EllipticCurvePrivateKey
    certificate_pem: str

    @property
    def not_after(self) -> datetime:
        """When the certificate ends (aware UTC)."""
        return x509.load_pem_x509_certificate(self.certificate_pem.encode()).not_valid_after_utc

    @property
    def not_before(self) -> datetime:
        """When the certificate began (aware UTC)."""
        return x509.load_pem_x509_certificate(self.certificate_pem.encode()).not_valid_before_utc

    def assertion(self, url: str, now: datetime) -> str:
        """A signed proof for one call of ``url``."""
        return make_assertion(self.key, self.certificate_pem, self.agent_id, url, now)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh EC P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def pending_key(state: Path) -> ec.EllipticCurvePrivateKey:
    """The key of a registration under way, kept so that a lost answer can be asked for again."""
    path = state / _PENDING
    if path.exists():
        return _load_key(path)
    key = new_key()
    write_private(path, _key_pem(key))
    return key


def signing_request(key: ec.EllipticCurvePrivateKey, name: str) -> str:
    """A PEM certificate request; the service decides the subject, the name is a courtesy."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def save(state: Path, identity: Identity) -> None:
    """Store key and certificate together (mode 0600) and forget the pending key."""
    write_private(state / _FILE, _key_pem(identity.key) + identity.certificate_pem.encode())
    (state / _PENDING).unlink(missing_ok=True)


def load(state: Path, agent_id: str) -> Identity:
    """The stored identity."""
    path = state / _FILE
    try:
        content = path.read_bytes()
        certificate = x509.load_pem_x509_certificate(content)
    except (OSError, ValueError) as error:
        raise AgentError("StateUnreadable", f"{path} can not be used; enrol again.") from error
    return Identity(agent_id, _load_key(path), certificate.public_bytes(Encoding.PEM).decode())


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise AgentError("StateUnreadable", f"{path} can not be used; enrol again.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AgentError("StateUnreadable", f"{path} holds no EC key; enrol again.")
    return key


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

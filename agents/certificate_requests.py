"""Certificate signing requests of agents: PKCS #10 (RFC 2986), EC P-256, signed by the key they carry."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from provisioning_agent.wire.errors import WireError


def public_key(csr_pem: str) -> ec.EllipticCurvePublicKey:
    """The key of a request that is signed by it; ``CsrInvalid`` otherwise. Names in the request are ignored."""
    request = _parsed(csr_pem)
    key = request.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise WireError("CsrInvalid", "The certificate request's key is not EC P-256; make a new key.")
    return key


def same_key(certificate_pem: str, key: ec.EllipticCurvePublicKey) -> bool:
    """Whether the certificate was issued for this key."""
    issued = x509.load_pem_x509_certificate(certificate_pem.encode()).public_key()
    return _der(issued) == _der(key)


def _parsed(csr_pem: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(csr_pem.encode())
        is_signed = request.is_signature_valid
    except (ValueError, TypeError, InvalidSignature) as error:
        raise WireError(
            "CsrInvalid", "The certificate request can not be read; update the agent and enrol again."
        ) from error
    if not is_signed:
        raise WireError("CsrInvalid", "The certificate request is not signed by its own key; make a new one.")
    return request


def _der(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

"""Our certificate authority: made on first use, its key sealed, signing agents' and the portal's certificates."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.db import connection, transaction
from django.utils import timezone

from agents.errors import refusal
from agents.models import CertificateAuthority
from agents.sealing import SealBroken, seal, unseal
from provisioning_agent.wire.limits import CERTIFICATE_DAYS

AUTHORITY_DAYS: Final = 3650
# What browsers and TLS libraries still take from a private authority.
SERVER_DAYS: Final = 397
# Clocks of agents may run behind ours.
BACKDATED: Final = timedelta(minutes=5)
_LOCK: Final = 0x49535448


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority's certificate and its key, opened."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        """The authority's certificate as PEM."""
        return to_pem(self.certificate)


@dataclass(frozen=True, slots=True, repr=False)
class ServerCertificate:
    """PEM texts for a TLS server: leaf followed by the authority, private key, the authority alone."""

    chain: str
    key: str
    authority: str


def to_pem(certificate: x509.Certificate) -> str:
    """The certificate as PEM text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def current(now: datetime) -> Authority:
    """The authority in use, created if there is none; raises ``AuthorityKeySealed`` without its sealing key."""
    row = CertificateAuthority.objects.order_by("-id").first() or _create_once(now)
    try:
        key = serialization.load_der_private_key(unseal(bytes(row.sealed_key)), password=None)
    except SealBroken as error:
        raise refusal("AuthorityKeySealed") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("The certificate authority's key is not an EC key.")
    return Authority(x509.load_pem_x509_certificate(row.certificate.encode()), key)


def issue_agent_certificate(
    authority: Authority, public_key: ec.EllipticCurvePublicKey, agent_id: str, now: datetime
) -> x509.Certificate:
    """A client certificate for 180 days whose subject is the agent's id."""
    builder = _leaf(authority, public_key, agent_id, now, timedelta(days=CERTIFICATE_DAYS))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return builder.add_extension(usage, critical=False).sign(authority.key, hashes.SHA256())


def issue_server_certificate(hostnames: Iterable[str], now: datetime | None = None) -> ServerCertificate:
    """A TLS server certificate for these DNS names and IP addresses, with a key of its own."""
    names = list(dict.fromkeys(hostnames))
    if not names:
        raise ValueError("A server certificate needs at least one host name or address.")
    moment = now or timezone.now()
    authority = current(moment)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _leaf(authority, key.public_key(), names[0], moment, timedelta(days=SERVER_DAYS))
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
    builder = builder.add_extension(usage, critical=False).add_extension(alternatives, critical=False)
    leaf = builder.sign(authority.key, hashes.SHA256())
    return ServerCertificate(to_pem(leaf) + authority.pem, _key_pem(key), authority.pem)


def _create_once(now: datetime) -> CertificateAuthority:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = CertificateAuthority.objects.order_by("-id").first()
        return row or _create(now)


def _create(now: datetime) -> CertificateAuthority:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Isthmus certificate authority {now:%Y-%m-%d}")
    builder = _dated(now, timedelta(days=AUTHORITY_DAYS)).subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(signs_certificates=True), critical=True)
    builder = builder.add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
    )
    certificate = builder.sign(key, hashes.SHA256())
    sealed = seal(
        key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return CertificateAuthority.objects.create(certificate=to_pem(certificate), sealed_key=sealed)


def _leaf(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    common_name: str,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    issuer_key = authority.key.public_key()
    builder = _dated(now, lifetime).subject_name(_name(common_name)).public_key(public_key)
    return (
        builder.issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _dated(now: datetime, lifetime: timedelta) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number())
    return builder.not_valid_before(now - BACKDATED).not_valid_after(now + lifetime)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    # RFC 5280 allows a common name 64 characters.
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")

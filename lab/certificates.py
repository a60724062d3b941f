"""A certification authority for one throw-away domain controller."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=30)
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class TlsFiles:
    """PEM files of a server: its CA certificate, its own certificate and its key."""

    ca: Path
    certificate: Path
    key: Path


def issue_server_certificate(directory: Path, host_name: str, address: str) -> TlsFiles:
    """Write a new CA and a server certificate for the name and the address into the directory.

    The CA's key is thrown away: nothing else will ever be signed by it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = TlsFiles(directory / "ca.pem", directory / "cert.pem", directory / "key.pem")
    # RSA, because Samba's GnuTLS priorities and old Windows clients alike are sure to take it.
    ca_key, server_key = _new_key(), _new_key()
    authority = _authority(ca_key, f"Laboratory CA of {host_name}")
    server = _server(server_key, ca_key, authority, host_name, address)
    _write(files.ca, authority.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.certificate, server.public_bytes(serialization.Encoding.PEM), 0o644)
    _write(files.key, _pem(server_key), 0o600)
    return files


def issue_authority(certificate: Path, key: Path, common_name: str) -> None:
    """Write a new CA and its key."""
    private = _new_key()
    _write(certificate, _authority(private, common_name).public_bytes(serialization.Encoding.PEM), 0o644)
    _write(key, _pem(private), 0o600)


def fingerprint(certificate: Path) -> str:
    """SHA-256 of the DER form of a PEM certificate, as lower-case hex without colons."""
    return x509.load_pem_x509_certificate(certificate.read_bytes()).fingerprint(hashes.SHA256()).hex()


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(key: rsa.RSAPrivateKey, common_name: str) -> x509.Certificate:
    name = _name(common_name)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = _builder(name, name, key.public_key()).add_extension(usage, critical=True)
    return builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )


def _server(
    key: rsa.RSAPrivateKey, ca_key: rsa.RSAPrivateKey, ca: x509.Certificate, host_name: str, address: str
) -> x509.Certificate:
    names = x509.SubjectAlternativeName(
        [x509.DNSName(host_name), x509.IPAddress(ipaddress.ip_address(address))]
    )
    builder = _builder(_name(host_name), ca.subject, key.public_key()).add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(ca_key, hashes.SHA256())


def _pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

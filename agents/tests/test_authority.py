from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store
from django.db import connections
from pytest_django import Settings

from agents import authority
from agents.models import CertificateAuthority
from agents.tests.cast import NOW, new_key
from provisioning_agent.wire.errors import WireError


@pytest.mark.django_db
def test_an_agents_certificate_is_ours_for_180_days_and_for_clients_only() -> None:
    issuer = authority.current(NOW)
    issued = authority.issue_agent_certificate(issuer, new_key().public_key(), "agent-id", NOW)
    issued.verify_directly_issued_by(issuer.certificate)
    assert issued.not_valid_after_utc == NOW + timedelta(days=180)
    assert issued.subject.rfc4514_string() == "CN=agent-id"
    usage = issued.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.django_db
def test_a_server_certificate_passes_verification_for_its_names() -> None:
    made = authority.issue_server_certificate(["portal.example", "127.0.0.1"])
    leaf, issuer = x509.load_pem_x509_certificates(made.chain.encode())
    policy = PolicyBuilder().store(Store([issuer])).time(datetime.now(UTC))
    for name in (x509.DNSName("portal.example"), x509.IPAddress(ip_address("127.0.0.1"))):
        policy.build_server_verifier(name).verify(leaf, [])
    key = serialization.load_pem_private_key(made.key.encode(), None)
    assert key.public_key() == leaf.public_key()


@pytest.mark.django_db
def test_the_authoritys_key_is_sealed_at_rest() -> None:
    current = authority.current(NOW)
    clear = current.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert clear not in bytes(CertificateAuthority.objects.get().sealed_key)


@pytest.mark.django_db
def test_without_its_sealing_key_the_authority_says_what_is_missing(settings: Settings) -> None:
    authority.current(NOW)
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(WireError, match="ISTHMUS_SEALING_KEYS") as caught:
        authority.current(NOW)
    assert caught.value.code == "AuthorityKeySealed"


@pytest.mark.django_db(transaction=True)
def test_processes_that_need_the_authority_at_once_make_one() -> None:
    CertificateAuthority.objects.all().delete()

    def use(_: int) -> str:
        try:
            return authority.current(NOW).pem
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(use, range(6)))
    assert len(found) == 1
    assert CertificateAuthority.objects.count() == 1

"""Rotating the sealing keys."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from pytest_django.fixtures import Settings

from agents.models import CertificateAuthority
from agents.sealing import SealBroken, seal, unseal
from provisioning.models import Target

pytestmark = pytest.mark.django_db


def test_after_resealing_the_old_key_is_no_longer_needed(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.SEALING_KEYS = [old]
    authority = CertificateAuthority.objects.create(certificate="", sealed_key=seal(b"authority"))
    target = Target.objects.create(name="SCIM", sealed_credentials=seal(b"token"))
    settings.SEALING_KEYS = [new, old]
    call_command("reseal_secrets")
    settings.SEALING_KEYS = [new]
    authority.refresh_from_db()
    target.refresh_from_db()
    assert unseal(authority.sealed_key) == b"authority"
    assert unseal(target.sealed_credentials or b"") == b"token"


def test_a_secret_that_no_key_opens_stops_it(settings: Settings) -> None:
    CertificateAuthority.objects.create(certificate="", sealed_key=seal(b"authority"))
    settings.SEALING_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SealBroken, match="ISTHMUS_SEALING_KEYS"):
        call_command("reseal_secrets")

"""``manage.py reseal_secrets``: put every sealed secret under the first of the sealing keys."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from agents.models import CertificateAuthority, UpdateKey
from agents.sealing import reseal
from provisioning.models import Target


class Command(BaseCommand):
    """To rotate: put a new key in front of ISTHMUS_SEALING_KEYS, restart, run this, then drop the old key."""

    help = "Seal every secret anew with the first key in ISTHMUS_SEALING_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        """Reseal all or nothing; an unknown key stops it before anything is written."""
        with transaction.atomic():
            authorities = _reseal_authorities()
            targets = _reseal_targets()
            updates = _reseal_update_keys()
        self.stdout.write(
            f"Resealed {authorities} authority keys, {targets} target credentials and {updates} update keys."
        )


def _reseal_authorities() -> int:
    rows = CertificateAuthority.objects.select_for_update()
    for row in rows:
        row.sealed_key = reseal(row.sealed_key)
        row.save(update_fields=["sealed_key"])
    return len(rows)


def _reseal_targets() -> int:
    rows = Target.objects.select_for_update().filter(sealed_credentials__isnull=False)
    for row in rows:
        row.sealed_credentials = reseal(row.sealed_credentials or b"")
        row.save(update_fields=["sealed_credentials"])
    return len(rows)


def _reseal_update_keys() -> int:
    rows = UpdateKey.objects.select_for_update()
    for row in rows:
        row.sealed_key = reseal(row.sealed_key)
        row.save(update_fields=["sealed_key"])
    return len(rows)

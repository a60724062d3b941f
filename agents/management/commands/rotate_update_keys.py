"""``manage.py rotate_update_keys``: new signing keys for the update repository, after an intrusion or by routine."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.models import AgentRelease
from agents.updates import repository


class Command(BaseCommand):
    """Signs a new root, which names the new keys; agents that know an older root follow it."""

    help = "Make new signing keys for the update repository. Needs the root's key, which is kept offline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument("--root-key", type=Path, required=True, help="file with the root's key")
        parser.add_argument(
            "--role",
            action="append",
            choices=repository.ONLINE_ROLES,
            help="only this role's key; repeat for more (all three unless given)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate, and show what the new keys now vouch for."""
        path: Path = options["root_key"]
        roles = set(options["role"] or repository.ONLINE_ROLES)
        if not repository.exists():
            raise CommandError("There is no update repository yet; run create_update_repository first.")
        try:
            number = repository.rotate(path.read_bytes(), roles, timezone.now())
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} is not the root's key of this repository.") from error
        self.stdout.write(f"Root {number} is signed; new keys for {', '.join(sorted(roles))}.")
        for release in AgentRelease.objects.all():
            self.stdout.write(f"  {release.version}  sha256 {release.sha256}")
        self.stdout.write("After an intrusion, compare these with the releases you made.")

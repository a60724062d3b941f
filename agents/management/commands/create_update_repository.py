"""``manage.py create_update_repository``: the repository from which agents update themselves."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.private_files import write_private
from agents.updates import repository


class Command(BaseCommand):
    """Makes the keys; with ``--renew-root`` signs the root anew before it ends."""

    help = "Create the update repository. The root's key is written to a file; keep it offline."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument(
            "--root-key", type=Path, required=True, help="new file for the root's key (mode 0600)"
        )
        parser.add_argument(
            "--renew-root", action="store_true", help="the repository exists: extend its root with the key"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or renew."""
        path: Path = options["root_key"]
        if options["renew_root"]:
            self._renew(path)
            return
        if repository.exists():
            raise CommandError("There is an update repository; --renew-root extends its root.")
        if path.exists():
            raise CommandError(f"{path} exists; name a new file.")
        write_private(path, repository.create(timezone.now()).decode())
        self.stdout.write(f"Created. Take {path} off this host: it decides which keys agents trust.")

    def _renew(self, path: Path) -> None:
        if not repository.exists():
            raise CommandError("There is no update repository yet.")
        try:
            number = repository.renew_root(path.read_bytes(), timezone.now())
        except (OSError, ValueError) as error:
            raise CommandError(f"{path} is not the root's key of this repository.") from error
        self.stdout.write(f"Root {number} is signed.")

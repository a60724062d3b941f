"""``manage.py create_enrolment_token``: let one agent in, from the command line."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.enrolment import create_token
from agents.private_files import write_private

LONGEST_HOURS = 24 * 30


class Command(BaseCommand):
    """Prints the token and nothing else, or writes it to a file that only its owner can read."""

    help = "Create a one-time enrolment token. It is shown once and can not be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument("--label", default="", help="what the token is for")
        parser.add_argument("--hours", type=int, default=24, help="how long it may wait to be used (24)")
        parser.add_argument("--out", type=Path, help="write it to this new file (mode 0600) instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token."""
        if not 1 <= options["hours"] <= LONGEST_HOURS:
            raise CommandError(f"--hours must be from 1 to {LONGEST_HOURS}.")
        if len(options["label"]) > 120:
            raise CommandError("--label must not be longer than 120 characters.")
        _, text = create_token(options["label"], timedelta(hours=options["hours"]), None)
        if options["out"] is None:
            self.stdout.write(text)
        else:
            write_private(options["out"], text + "\n")

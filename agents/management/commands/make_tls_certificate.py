"""``manage.py make_tls_certificate``: a server certificate of our own authority, for a portal without another."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from agents.authority import SERVER_DAYS, issue_server_certificate
from agents.private_files import write_private


class Command(BaseCommand):
    """Writes ``server.pem`` (leaf and authority), ``server.key`` (mode 0600) and ``ca.pem``."""

    help = f"Make a TLS certificate for the portal, valid {SERVER_DAYS} days, signed by our own authority."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument(
            "--host", action="append", required=True, help="DNS name or IP address; may be repeated"
        )
        parser.add_argument("--out", type=Path, required=True, help="directory to write to")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the three files."""
        made = issue_server_certificate(options["host"])
        directory: Path = options["out"]
        directory.mkdir(parents=True, exist_ok=True)
        write_private(directory / "server.key", made.key)
        (directory / "server.pem").write_text(made.chain, encoding="ascii")
        (directory / "ca.pem").write_text(made.authority, encoding="ascii")
        self.stdout.write(f"Wrote server.pem, server.key and ca.pem to {directory}.")

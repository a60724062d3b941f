"""``manage.py publish_agent_release WHEEL``: let agents have a new version."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from agents.updates import releases


class Command(BaseCommand):
    """Signs the wheel and publishes it; each agent takes it as its policy says."""

    help = "Publish a wheel of the agent in the update repository."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The command's options."""
        parser.add_argument("wheel", type=Path, help="the wheel, isthmus_agent-VERSION-py3-none-any.whl")

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish it."""
        path: Path = options["wheel"]
        try:
            release = releases.publish(path.name, path.read_bytes(), timezone.now())
        except OSError as error:
            raise CommandError(f"{path} can not be read: {error.strerror}.") from error
        except releases.NotAnAgentWheel as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Published {release.version} ({release.sha256}).")

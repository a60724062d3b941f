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
        parser.add_argument(
            "--with",
            dest="carried",
            type=Path,
            action="append",
            default=[],
            metavar="WHEEL",
            help="wheel of a dependency that agents may lack; repeat for more, also for other platforms",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Publish it."""
        path: Path = options["wheel"]
        carried: list[Path] = options["carried"]
        try:
            wheel = path.read_bytes()
            asked = releases.new_requirements(wheel)
            release = releases.publish(
                path.name, wheel, timezone.now(), {one.name: one.read_bytes() for one in carried}
            )
        except OSError as error:
            raise CommandError(f"{error.filename} can not be read: {error.strerror}.") from error
        except releases.NotAnAgentWheel as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Published {release.version} ({release.sha256}).")
        if asked and not carried:
            self.stdout.write(
                f"It asks for what the one before did not: {', '.join(asked)}. Agents get that from their own index; "
                "those without one stay as they are. Publish a next version with the wheels (--with)."
            )

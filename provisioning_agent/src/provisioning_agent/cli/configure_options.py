"""Options of ``isthmus-agent configure``; the work is imported when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import StateDir, state_of


def configure(
    answers: Annotated[
        Path | None, typer.Option("--answers", help="YAML file with all answers; nothing is asked then.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Contact nobody; print every step and how to do it by hand.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Do steps that are done already once more.")] = False,
    state_dir: StateDir = None,
) -> None:
    """The wizard: portal, account and permissions in each domain, registration, service, first bootstrap.

    Goes on where it stopped. Exit code 4: this host or an answer, 5: the portal, 6: the directory.
    """
    from provisioning_agent.cli import configure_command as command

    raise typer.Exit(command.configure(command.Options(state_of(state_dir), answers, dry_run, again)))

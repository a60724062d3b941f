"""Options of ``isthmus-agent install`` and ``uninstall``; the work is imported when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import StateDir, state_of

Root = Annotated[
    Path | None, typer.Option("--root", help="Root of a system that does not run: to build an image.")
]
User = Annotated[str | None, typer.Option("--user", help="The system user. [default: isthmus-agent]")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print what would be done.")]


def install(
    root: Root = None,
    user: User = None,
    executable: Annotated[
        Path | None, typer.Option(help="The program as the service starts it. [default: this one]")
    ] = None,
    dry_run: DryRun = False,
    state_dir: StateDir = None,
) -> None:
    """Make this host ready: system user, private state directory, sandboxed systemd service. Can be repeated."""
    from provisioning_agent.cli import hosting_command as command

    layout = command.layout_of(root, user, state_of(state_dir), executable)
    raise typer.Exit(command.install(layout, dry_run=dry_run))


def uninstall(
    root: Root = None,
    user: User = None,
    keep_registration: Annotated[
        bool, typer.Option("--keep-registration", help="Do not tell the portal.")
    ] = False,
    dry_run: DryRun = False,
    state_dir: StateDir = None,
) -> None:
    """Tell the portal, then remove service, system user, key, passwords and logs from this host."""
    from provisioning_agent.cli import hosting_command as command

    layout = command.layout_of(root, user, state_of(state_dir), None)
    done = command.uninstall(layout, keep_registration=keep_registration, dry_run=dry_run)
    raise typer.Exit(done)

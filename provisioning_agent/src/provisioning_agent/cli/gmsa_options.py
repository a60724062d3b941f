"""Options of ``isthmus-agent gmsa``; the work is imported when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import StateDir, state_of


def gmsa(
    domain: Annotated[str, typer.Option(help="DNS name of a domain this agent serves.")],
    name: Annotated[str, typer.Option(help="The account, at most 15 characters.")] = "provAgentgMSA",
    host: Annotated[
        str | None, typer.Option(help="Computer account that may have the password. [default: this host]")
    ] = None,
    admin_user: Annotated[
        str | None, typer.Option("--admin-user", help="A domain administrator, name@domain; never stored.")
    ] = None,
    admin_password_file: Annotated[
        Path | None,
        typer.Option("--admin-password-file", help="File with the administrator's password; - asks for it."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing; print PowerShell lines.")
    ] = False,
    state_dir: StateDir = None,
) -> None:
    """Prepare a group managed service account and let this host have its password. Can be repeated."""
    from provisioning_agent.cli import gmsa_command as command

    options = command.Options(
        state_of(state_dir), domain, name, host, admin_user, admin_password_file, dry_run
    )
    raise typer.Exit(command.ensure(options))

"""Options of ``isthmus-agent permissions``; the work is imported when it is done, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import StateDir, state_of

app = typer.Typer(
    help="Show, grant and revoke what the agent's account may do in a domain.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Sets = Annotated[
    list[str], typer.Argument(metavar="SET...", help="BasicRead, PasswordHashSync, …: see 'show'.")
]
Domain = Annotated[str, typer.Option(help="DNS name of a domain this agent serves.")]
Account = Annotated[str | None, typer.Option(help="Another account than the one the agent reads with.")]
Administrator = Annotated[
    str | None, typer.Option("--admin-user", help="A domain administrator, name@domain; never stored.")
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--admin-password-file", help="File with the administrator's password; - asks for it."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; print dsacls or PowerShell lines.")]


@app.command()
def show(
    domain: Domain,
    account: Account = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    state_dir: StateDir = None,
) -> None:
    """List the sets and which of their rights the account has."""
    from provisioning_agent.cli import permissions_command as command

    options = command.Options(state_of(state_dir), domain, account)
    raise typer.Exit(command.show(options, as_json=as_json))


@app.command()
def grant(
    sets: Sets,
    domain: Domain,
    account: Account = None,
    admin_user: Administrator = None,
    admin_password_file: PasswordFile = None,
    dry_run: DryRun = False,
    state_dir: StateDir = None,
) -> None:
    """Give the account the rights of these sets, and nothing else."""
    from provisioning_agent.cli import permissions_command as command

    options = command.Options(state_of(state_dir), domain, account, admin_user, admin_password_file, dry_run)
    raise typer.Exit(command.grant(options, sets))


@app.command()
def revoke(
    sets: Sets,
    domain: Domain,
    account: Account = None,
    admin_user: Administrator = None,
    admin_password_file: PasswordFile = None,
    dry_run: DryRun = False,
    state_dir: StateDir = None,
) -> None:
    """Take these sets back; rights that another granted set needs stay."""
    from provisioning_agent.cli import permissions_command as command

    options = command.Options(state_of(state_dir), domain, account, admin_user, admin_password_file, dry_run)
    raise typer.Exit(command.revoke(options, sets))


@app.command()
def restrict(
    domain: Domain,
    account: Account = None,
    admin_user: Administrator = None,
    admin_password_file: PasswordFile = None,
    dry_run: DryRun = False,
    state_dir: StateDir = None,
) -> None:
    """Let only administrators control the account, since who controls it could act as the agent."""
    from provisioning_agent.cli import permissions_command as command

    options = command.Options(state_of(state_dir), domain, account, admin_user, admin_password_file, dry_run)
    raise typer.Exit(command.restrict(options))

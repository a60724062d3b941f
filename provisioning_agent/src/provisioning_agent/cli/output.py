"""Words on the terminal."""

from __future__ import annotations

import logging

import typer

from provisioning_agent.errors import EXIT_DIRECTORY, EXIT_PORTAL, EXIT_REVOKED, EXIT_SETUP, AgentError
from provisioning_agent.ldap.errors import DirectoryError
from provisioning_agent.wire.errors import WireError

# Commands speak in their own words; log lines are for `run`, which sets its own handler.
logging.getLogger("provisioning_agent").addHandler(logging.NullHandler())

_STOPPED = frozenset({"AgentRevoked", "AgentUnknown"})


def say(text: str) -> None:
    """One line of ordinary output."""
    typer.echo(text)


def complain(error: AgentError | WireError) -> int:
    """Show an error on standard error; returns the exit code that goes with it."""
    typer.secho(f"{error.code}: {error.detail}", err=True, fg=typer.colors.RED)
    if isinstance(error, AgentError):
        return error.exit_code
    if isinstance(error, DirectoryError):
        return EXIT_DIRECTORY
    if error.code in _STOPPED:
        return EXIT_REVOKED
    return EXIT_SETUP if error.code.startswith("EnrolmentToken") else EXIT_PORTAL

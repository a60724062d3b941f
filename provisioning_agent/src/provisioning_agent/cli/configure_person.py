"""Who answers the wizard: a person at a terminal, or a file of answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from provisioning_agent.accounts.ordinary import default_name
from provisioning_agent.cli.output import say
from provisioning_agent.cli.secrets_input import secret_from


class Unattended:
    """Every answer was given beforehand; what was not confirmed there is not confirmed."""

    def say(self, text: str) -> None:
        """Print."""
        say(text)

    def confirm(self, question: str) -> bool:
        """Nobody is there to say yes."""
        return False

    def go_on(self) -> bool:
        """What is in the file is meant."""
        return True

    def secret(self, path: Path, prompt: str) -> str:
        """From its file, or the next line of standard input."""
        return secret_from(path, prompt)


class AtTerminal(Unattended):
    """A person reads along and says yes to each step."""

    def confirm(self, question: str) -> bool:
        """Ask."""
        return typer.confirm(question)

    def go_on(self) -> bool:
        """Ask."""
        return typer.confirm("    Go on?", default=True)


def ask_everything() -> dict[str, Any]:
    """The questions, in the order of the steps; the answers have the shape of the file."""
    portal = typer.prompt("Portal (https://…)")
    answers = {
        "portal": portal,
        "portal_ca_file": _maybe("CA file of the portal's certificate, if the host lacks it"),
        **_ask_proxy(),
    }
    domains = [_ask_domain()]
    while typer.confirm("Another domain?", default=False):
        domains.append(_ask_domain())
    return {**answers, "domains": domains}


def _ask_proxy() -> dict[str, Any]:
    proxy = _maybe("Proxy to the portal (http://host:port), if this host needs one")
    credentials = _maybe("File with user:password for it, if it wants them") if proxy else None
    return {"proxy": proxy, "proxy_credentials_file": credentials}


def _ask_domain() -> dict[str, Any]:
    domain = typer.prompt("Domain (DNS name)")
    servers = typer.prompt("Controllers, preferred first; 'dns' for those DNS names", default="dns")
    ca_file = _maybe("CA file of the controllers' certificates, if the host lacks it")
    admin = _maybe("Domain administrator (name@domain) for this set-up; empty: done by hand")
    return {
        "domain": domain,
        "servers": servers.replace(",", " ").split(),
        "ca_file": ca_file,
        "admin_user": admin,
        "account": _ask_account(may_create=admin is not None),
    }


def _ask_account(*, may_create: bool) -> dict[str, Any]:
    if may_create and typer.confirm("Let the agent have an account of its own (recommended)?", default=True):
        if typer.confirm("Group managed, which needs this host joined to the domain?", default=False):
            return {"kind": "gmsa"}
        return {"kind": "managed", "name": typer.prompt("Its name", default=default_name())}
    return {"kind": "existing", "user": typer.prompt("Existing account (name@domain)")}


def _maybe(question: str) -> str | None:
    answer: str = typer.prompt(question, default="", show_default=False)
    return answer.strip() or None

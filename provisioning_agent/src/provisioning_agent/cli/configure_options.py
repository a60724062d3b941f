"""Options of ``isthmus-agent configure``; the work is imported when it is done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Proxy, ProxyCredentials, StateDir, state_of


def configure(
    answers: Annotated[
        Path | None, typer.Option("--answers", help="YAML file with all answers; nothing is asked then.")
    ] = None,
    portal: Annotated[
        str | None, typer.Option(help="The portal; with --domain, nothing is asked either.")
    ] = None,
    portal_ca_file: Annotated[str | None, typer.Option(help="CA of the portal's certificate, PEM.")] = None,
    proxy: Proxy = None,
    proxy_credentials_file: ProxyCredentials = None,
    token_file: Annotated[str | None, typer.Option(help="File with the enrolment token.")] = None,
    device_code: Annotated[
        bool, typer.Option("--device-code", help="Sign in with Entra by a code instead of a token.")
    ] = False,
    domain: Annotated[str | None, typer.Option(help="DNS name of the AD domain.")] = None,
    server: Annotated[
        list[str] | None, typer.Option(help="A controller; repeat for more. [default: those DNS names]")
    ] = None,
    ca_file: Annotated[str | None, typer.Option(help="CA of the controllers' certificates, PEM.")] = None,
    fingerprint: Annotated[str | None, typer.Option(help="SHA-256 of the controller's certificate.")] = None,
    admin_user: Annotated[str | None, typer.Option(help="A domain administrator; never stored.")] = None,
    admin_password_file: Annotated[
        str | None, typer.Option(help="File with the administrator's password. [default: standard input]")
    ] = None,
    account_name: Annotated[
        str | None, typer.Option(help="Name of the managed account. [default: isthmus-HOST]")
    ] = None,
    existing_user: Annotated[str | None, typer.Option(help="An account of your own instead.")] = None,
    password_file: Annotated[
        str | None, typer.Option(help="File with that account's password. [default: standard input]")
    ] = None,
    gmsa: Annotated[
        bool,
        typer.Option("--gmsa", help="A group managed service account; this host is joined to the domain."),
    ] = False,
    keytab: Annotated[
        str | None, typer.Option(help="The host's keytab, for that. [default: /etc/krb5.keytab]")
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

    of_domain = {
        "domain": domain,
        "servers": server or None,
        "ca_file": ca_file,
        "fingerprint": fingerprint,
        "admin_user": admin_user,
        "admin_password_file": admin_password_file,
        "account": (
            {"kind": "gmsa", "name": account_name, "keytab": keytab}
            if gmsa
            else _account(account_name, existing_user, password_file)
        ),
    }
    top = {
        "portal": portal,
        "portal_ca_file": portal_ca_file,
        "proxy": proxy,
        "proxy_credentials_file": str(proxy_credentials_file) if proxy_credentials_file else None,
        "sign_in": "device-code" if device_code else None,
        "token_file": token_file,
    }
    given = {**top, "domains": [of_domain]} if any([*top.values(), domain, server]) else None
    options = command.Options(state_of(state_dir), answers, given, dry_run, again)
    raise typer.Exit(command.configure(options))


def _account(name: str | None, user: str | None, password_file: str | None) -> dict[str, Any]:
    if user is not None:
        return {"kind": "existing", "user": user, "password_file": password_file}
    return {"kind": "managed", "name": name}

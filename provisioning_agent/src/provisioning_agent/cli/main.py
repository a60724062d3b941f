"""Entry point and options; the work is done in the modules beside, imported by the command that needs them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from . import configure_options, gmsa_options, hosting_options
from .options import Proxy, ProxyCredentials, StateDir, state_of
from .permissions_options import app as permissions

app = typer.Typer(
    name="isthmus-agent",
    help="Reads Active Directory for Isthmus. Makes outbound HTTPS connections only.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: drawing it with rich costs twice as much time as everything else together.
    rich_markup_mode=None,
)

app.add_typer(permissions, name="permissions")
app.command()(configure_options.configure)
app.command()(gmsa_options.gmsa)
app.command()(hosting_options.install)
app.command()(hosting_options.uninstall)


@app.command()
def enrol(
    portal: Annotated[str, typer.Option(help="The portal, as https://host[:port].")],
    domain: Annotated[str, typer.Option(help="DNS name of the AD domain.")],
    bind_user: Annotated[
        str, typer.Option("--bind-user", "--bind-dn", help="The account to read with: name@domain or DN.")
    ],
    password_file: Annotated[Path | None, typer.Option(help="File with that account's password.")] = None,
    keytab: Annotated[
        Path | None,
        typer.Option(help="Instead: the host's keytab, for a group managed service account name$@domain."),
    ] = None,
    server: Annotated[
        list[str] | None,
        typer.Option(help="A domain controller, host[:port]; repeat for more. [default: those DNS names]"),
    ] = None,
    nameserver: Annotated[
        str | None, typer.Option(help="address[:port] of one that knows the domain. [default: the host's]")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the one-time enrolment token; not needed to add a domain.")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="CA of the portal's certificate, PEM.")] = None,
    dc_ca_file: Annotated[Path | None, typer.Option(help="CA of the controllers' certificates, PEM.")] = None,
    dc_fingerprint: Annotated[
        str | None, typer.Option(help="SHA-256 of the controller's certificate, confirmed by you.")
    ] = None,
    managed: Annotated[
        bool,
        typer.Option(
            "--managed", help="The account is this agent's alone: it changes the password every 30 days."
        ),
    ] = False,
    name: Annotated[str | None, typer.Option(help="Name shown in the console. [default: host name]")] = None,
    proxy: Proxy = None,
    proxy_credentials_file: ProxyCredentials = None,
    state_dir: StateDir = None,
) -> None:
    """Register this agent and the domain it reads. Can be repeated, also to change or add a domain."""
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.enrol_command import EnrolOptions, enrol_agent

    options = EnrolOptions(
        portal=portal,
        domain=domain,
        servers=tuple(server or ()),
        nameserver=nameserver,
        bind_user=bind_user,
        password_file=password_file,
        keytab=keytab,
        token_file=token_file,
        ca_file=ca_file,
        dc_ca_file=dc_ca_file,
        dc_fingerprint=dc_fingerprint,
        name=name,
        managed=managed,
        proxy=proxy,
        proxy_credentials_file=proxy_credentials_file,
        state=state_of(state_dir),
    )
    raise typer.Exit(enrol_agent(options))


@app.command()
def run(
    state_dir: StateDir = None,
    lanes: Annotated[int, typer.Option(min=1, max=16, help="Requests answered at the same time.")] = 2,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Answer requests until stopped. Exit code 3: the portal does not let this agent work any more."""
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.run_command import run_agent

    raise typer.Exit(run_agent(state_of(state_dir), lanes, verbose=verbose))


@app.command()
def supervise(
    state_dir: StateDir = None,
    lanes: Annotated[int, typer.Option(min=1, max=16, help="Requests answered at the same time.")] = 2,
    trial: Annotated[
        float, typer.Option(min=1, max=3600, help="Seconds a new version has until its first bootstrap.")
    ] = 300.0,
    verbose: Annotated[bool, typer.Option("--verbose", help="Log more.")] = False,
) -> None:
    """Run the agent and let it update itself; a version that does not bootstrap is taken back.

    Exit codes are those of 'run'.
    """
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.supervise_command import supervise_agent

    raise typer.Exit(supervise_agent(state_of(state_dir), lanes, trial, verbose=verbose))


@app.command()
def status(
    state_dir: StateDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what this agent is, what it last did, and whether its domain controllers can be reached."""
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.status_command import show_status

    raise typer.Exit(show_status(state_of(state_dir), as_json=as_json))


@app.command()
def doctor(
    state_dir: StateDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try every link to the portal and the domain controllers, and say how to mend what is broken.

    Exit code 0: all well, 7: warnings only, 4: this host, 5: the portal, 6: the directory.
    """
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.doctor_command import run_doctor

    raise typer.Exit(run_doctor(state_of(state_dir), as_json=as_json))


@app.command()
def proxy(
    url: Annotated[str | None, typer.Argument(help="http://host:port, or 'none'.")] = None,
    credentials_file: Annotated[
        Path | None, typer.Option(help="File with user:password for the proxy; it is copied.")
    ] = None,
    state_dir: StateDir = None,
) -> None:
    """Show or set the proxy of an enrolled agent; restart it after. NO_PROXY of the environment holds too."""
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.proxy_command import set_proxy

    raise typer.Exit(set_proxy(state_of(state_dir), url, credentials_file))


@app.command("export-logs")
def export_logs(
    output: Annotated[Path | None, typer.Option(help="The zip file to write.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=720, help="How far back.")] = 24,
    with_doctor: Annotated[bool, typer.Option("--doctor/--no-doctor", help="Try every link too.")] = True,
    state_dir: StateDir = None,
) -> None:
    """Bundle the log of the last 24 hours with status and configuration, secrets removed."""
    # Imported here so that --help answers at once.
    from provisioning_agent.cli.export_command import export_logs as export

    raise typer.Exit(export(state_of(state_dir), output, hours, with_doctor=with_doctor))


def main() -> None:
    """Console script."""
    app()

"""``isthmus-agent gmsa``: the group managed service account for this host."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from provisioning_agent import config as configs
from provisioning_agent.accounts import group_managed
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.accounts.group_managed import HostAccount
from provisioning_agent.accounts.ordinary import is_name
from provisioning_agent.cli.output import complain, say
from provisioning_agent.cli.secrets_input import secret_from
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.domain import describe, require
from provisioning_agent.permissions.domain_objects import find_account
from provisioning_agent.wire.errors import WireError


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    state: Path
    domain: str
    name: str = group_managed.DEFAULT_NAME
    host: str | None = None
    admin_user: str | None = None
    admin_password_file: Path | None = None
    dry_run: bool = False


def ensure(options: Options) -> int:
    """Create or open the account, or print how to do it by hand; returns the exit code."""
    name = options.name.removesuffix("$")
    host = f"{(options.host or socket.gethostname().split('.')[0]).removesuffix('$')}$"
    try:
        if not is_name(name) or len(name) > group_managed.NAME_LIMIT:
            raise AgentError(
                "AccountNameInvalid", f"{name} has to be 1 to {group_managed.NAME_LIMIT} characters."
            )
        domain = configs.load(options.state).domain(options.domain)
        if domain is None:
            raise AgentError("DomainNotConfigured", f"This agent does not serve {options.domain}.")
        if options.dry_run:
            for line in group_managed.by_hand(name, domain.fqdn, host):
                say(line)
        else:
            _ensure(options, domain, name, host)
    except (AgentError, WireError) as error:
        return complain(error)
    return 0


def _ensure(options: Options, domain: DomainConfig, name: str, host: str) -> None:
    if options.admin_user is None:
        raise AgentError("AdministratorMissing")
    say(f"{domain.fqdn}: have the account {name}$, and let {host} have its password")
    password = secret_from(options.admin_password_file or Path("-"), f"Password of {options.admin_user}")
    login = login_for(domain).as_another(options.admin_user, password)
    with connect(login) as connection:
        controller = describe(connection)
        require(controller, domain.fqdn)
        account = find_account(connection, controller, host)
        made = group_managed.ensure(connection, controller, name, HostAccount(account.name, account.sid))
    say(f"{name}$: {made.value}")

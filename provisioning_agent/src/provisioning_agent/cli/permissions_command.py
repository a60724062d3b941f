"""``isthmus-agent permissions``: show, grant, revoke, restrict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from provisioning_agent import config as configs
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.cli.output import complain, say
from provisioning_agent.cli.secrets_input import secret_from
from provisioning_agent.config import DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import DirectoryLogin, connect
from provisioning_agent.ldap.domain import describe, identify, require
from provisioning_agent.permissions import by_hand, change, plan
from provisioning_agent.permissions.change import Target
from provisioning_agent.permissions.domain_objects import find_account, place_dn, schema_guids
from provisioning_agent.permissions.sets import Place, find_set, set_names
from provisioning_agent.wire.errors import WireError


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line; ``admin_user`` is only needed where something is written."""

    state: Path
    domain: str
    account: str | None = None
    admin_user: str | None = None
    admin_password_file: Path | None = None
    dry_run: bool = False


def show(options: Options, *, as_json: bool) -> int:
    """Print how every set stands."""

    def work(target: Target, _: str) -> None:
        found = {name: target.standing(name) for name in set_names()}
        if as_json:
            say(orjson.dumps({name: _as_json(rights) for name, rights in found.items()}).decode())
        else:
            _print(target.account.name, found)

    return _run(replace(options, dry_run=True), work)


def grant(options: Options, names: list[str]) -> int:
    """Grant sets, or print how to do it by hand."""

    def work(target: Target, netbios: str) -> None:
        for name in _known(names):
            if options.dry_run:
                rights = target.standing(name)
                lines = by_hand.granting_lines(rights, _dns(target), f"{netbios}\\{target.account.name}")
                _say_lines(name, lines)
            else:
                _tell(name, "granted" if change.grant(target, name) else "was granted already")
                _warn_of_missing_schema(name, target.standing(name))

    return _run(options, work)


def revoke(options: Options, names: list[str]) -> int:
    """Take sets back, or print how to do it by hand."""

    def work(target: Target, netbios: str) -> None:
        for name in _known(names):
            if options.dry_run:
                lines = by_hand.revoking_lines(
                    target.standing(name), _dns(target), f"{netbios}\\{target.account.name}"
                )
                _say_lines(name, lines)
            else:
                _tell(name, "revoked" if change.revoke(target, name) else "was not granted")

    return _run(options, work)


def restrict(options: Options) -> int:
    """Narrow who controls the account, or print how to do it by hand."""

    def work(target: Target, netbios: str) -> None:
        if options.dry_run:
            _say_lines("restrict", by_hand.restricting_lines(target.account.dn, target.account.name, netbios))
        else:
            _tell(target.account.name, "restricted" if change.restrict(target) else "was restricted already")

    return _run(options, work)


def _run(options: Options, work: Callable[[Target, str], None]) -> int:
    try:
        with _target(options) as (target, netbios):
            work(target, netbios)
    except (AgentError, WireError) as error:
        return complain(error)
    return 0


@contextmanager
def _target(options: Options) -> Iterator[tuple[Target, str]]:
    domain = configs.load(options.state).domain(options.domain)
    if domain is None:
        raise AgentError(
            "DomainNotConfigured", f"This agent does not serve {options.domain}; enrol it there."
        )
    with connect(_login(options, domain)) as connection:
        controller = describe(connection)
        require(controller, domain.fqdn)
        account = find_account(connection, controller, options.account or domain.user)
        guids = schema_guids(connection, controller.schema)
        yield Target(connection, controller, account, guids), identify(connection, controller).netbios


def _login(options: Options, domain: DomainConfig) -> DirectoryLogin:
    """As the administrator where one is named; as the agent's own account only to look."""
    if options.admin_user is None:
        if not options.dry_run:
            raise AgentError("AdministratorMissing")
        return login_for(domain)
    password = secret_from(options.admin_password_file or Path("-"), f"Password of {options.admin_user}")
    return login_for(domain).as_another(options.admin_user, password)


def _known(names: list[str]) -> list[str]:
    found = {name: find_set(name) for name in names}
    unknown = [name for name, known in found.items() if known is None]
    if unknown:
        raise AgentError(
            "PermissionSetUnknown", f"There is no set {unknown[0]}; choose from {', '.join(set_names())}."
        )
    return [known for known in found.values() if known]


def _dns(target: Target) -> dict[Place, str]:
    return {place: place_dn(target.controller, place) for place in Place}


def _tell(name: str, outcome: str) -> None:
    say(f"{name}: {outcome}")


def _say_lines(name: str, lines: list[str]) -> None:
    say(f"# {name}" if lines else f"# {name}: nothing to do")
    for line in lines:
        say(line)


def _warn_of_missing_schema(name: str, rights: list[plan.Held]) -> None:
    absent = [held for held in rights if held.state is plan.State.NOT_IN_SCHEMA]
    for held in absent:
        say(f"{name}: left out {_words(held)}, which this forest's schema does not have")


def _as_json(rights: list[plan.Held]) -> dict[str, Any]:
    return {
        "granted": plan.is_granted(rights),
        "rights": [{"right": _words(held), "state": held.state.value} for held in rights],
    }


def _words(held: plan.Held) -> str:
    right = held.right
    reach = f" of every {right.below}" if right.below else ""
    return f"{by_hand.letters(right.mask)} {right.on or 'all'}{reach} ({right.place.value})"


def _print(account: str, found: dict[str, list[plan.Held]]) -> None:
    table = Table("Set", "Right", "State", box=None, title=f"Rights of {account}", title_justify="left")
    for name, rights in found.items():
        for number, held in enumerate(rights):
            table.add_row(name if number == 0 else "", _words(held), held.state.value)
    Console().print(table)

"""``isthmus-agent status``: what is written down, and what answers right now."""

from __future__ import annotations

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from provisioning_agent import __version__
from provisioning_agent import config as configs
from provisioning_agent.accounts.entering import login_for
from provisioning_agent.channel import identity as identities
from provisioning_agent.cli.output import complain, say
from provisioning_agent.config import AgentConfig, DomainConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.ldap.connection import connect
from provisioning_agent.ldap.domain import describe, require
from provisioning_agent.status import Status
from provisioning_agent.status import read as read_status
from provisioning_agent.wire.errors import WireError


def show_status(state: Path, *, as_json: bool) -> int:
    """Print the status; returns the exit code, 0 even if a controller does not answer."""
    try:
        config = configs.load(state)
        report = gather(state, config, datetime.now(UTC))
    except AgentError as error:
        return complain(error)
    if as_json:
        say(orjson.dumps(report, option=orjson.OPT_INDENT_2).decode())
    else:
        _print(report)
    return 0


def gather(state: Path, config: AgentConfig, now: datetime) -> dict[str, Any]:
    """Everything the command shows, as JSON has it."""
    identity = identities.load(state, config.agent_id)
    told = read_status(state) or Status()
    return {
        "agentId": config.agent_id,
        "name": config.name,
        "version": __version__,
        "portal": config.portal,
        "running": _is_running(told.pid),
        "certificate": {
            "notAfter": identity.not_after.isoformat(),
            "ageDays": (now - identity.not_before).days,
            "daysLeft": (identity.not_after - now).days,
        },
        "startedAt": told.started_at,
        "lastBootstrapAt": told.last_bootstrap_at,
        "consecutiveFailures": told.consecutive_failures,
        "counters": asdict(told)["counters"],
        "lastErrors": told.last_errors,
        "domains": [_domain(domain) for domain in config.domains],
    }


def _domain(domain: DomainConfig) -> dict[str, Any]:
    """One domain, with the controller that answers now or the reason why none does."""
    report: dict[str, Any] = {"fqdn": domain.fqdn, "servers": list(domain.servers), "account": domain.user}
    try:
        with connect(login_for(domain)) as connection:
            controller = describe(connection)
            require(controller, domain.fqdn)
    except (AgentError, WireError) as error:
        return {**report, "reachable": False, "code": error.code, "detail": error.detail}
    return {**report, "reachable": True, "controller": controller.name}


def _is_running(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _print(report: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None)
    certificate = report["certificate"]
    for label, value in (
        ("Agent", f"{report['agentId']} ({report['name']}, {report['version']})"),
        ("Portal", report["portal"]),
        ("Running", "yes" if report["running"] else "no"),
        ("Certificate", f"{certificate['ageDays']} days old, {certificate['daysLeft']} days left"),
        ("Last bootstrap", report["lastBootstrapAt"] or "never"),
        ("Failed since", str(report["consecutiveFailures"])),
    ):
        table.add_row(label, str(value))
    for domain in report["domains"]:
        answer = f"reached {domain['controller']}" if domain["reachable"] else domain["detail"]
        table.add_row(f"Domain {domain['fqdn']}", answer)
    for error in report["lastErrors"][-3:]:
        table.add_row("Error", f"{error['at']} {error['code']}")
    Console().print(table)

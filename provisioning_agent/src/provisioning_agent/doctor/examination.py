"""All checks in the order in which one depends on another."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from provisioning_agent import __version__
from provisioning_agent import config as configs
from provisioning_agent.channel import identity as identities
from provisioning_agent.errors import AgentError
from provisioning_agent.status import iso
from provisioning_agent.status import read as read_status

from .domains import check_domain
from .host import certificate_verdict, check_disk, check_files
from .model import Check, Status
from .portal import check_portal


def examine(state: Path) -> list[Check]:
    """Everything that can be tried from here; what is missing to try more is a failed check itself."""
    tried = "read the agent's configuration and identity"
    try:
        config = configs.load(state)
        identity = identities.load(state, config.agent_id)
    except AgentError as error:
        return [Check("configuration", str(state), tried, error.detail, Status.FAIL, "isthmus-agent enrol")]
    now = datetime.now(UTC)
    checks = [
        Check("configuration", str(state), tried, f"agent {config.agent_id}", Status.OK),
        check_files(state),
        check_disk(state),
        certificate_verdict(config.agent_id, identity.not_before, identity.not_after, now),
        *check_portal(config, identity, read_status(state), state),
    ]
    for domain in config.domains:
        checks += check_domain(domain)
    return checks


def as_json(checks: list[Check], now: datetime) -> dict[str, Any]:
    """The report as it is printed with ``--json``."""
    counts = {status.value: sum(1 for check in checks if check.status is status) for status in Status}
    return {
        "at": iso(now),
        "version": __version__,
        "counts": counts,
        "checks": [asdict(one) for one in checks],
    }

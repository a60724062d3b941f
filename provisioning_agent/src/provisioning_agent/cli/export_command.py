"""``isthmus-agent export-logs``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from provisioning_agent.cli.output import complain, say
from provisioning_agent.doctor.examination import as_json, examine
from provisioning_agent.errors import AgentError
from provisioning_agent.support.bundle import write_bundle


def export_logs(state: Path, output: Path | None, hours: int, *, with_doctor: bool) -> int:
    """Write the bundle and say where it is; returns the exit code."""
    now = datetime.now(UTC)
    target = output or Path(f"isthmus-agent-logs-{now:%Y%m%dT%H%M%SZ}.zip")
    try:
        if not state.is_dir():
            raise AgentError("NotEnrolled", f"{state} holds no agent; correct --state-dir.")
        report = as_json(examine(state), now) if with_doctor else None
        lines = write_bundle(target, state, now, hours, report)
    except AgentError as error:
        return complain(error)
    say(f"{target}: {lines} log lines of {hours} hours, secrets removed")
    return 0

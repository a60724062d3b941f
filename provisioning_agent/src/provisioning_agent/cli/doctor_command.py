"""``isthmus-agent doctor``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from provisioning_agent.cli.output import say
from provisioning_agent.doctor.examination import as_json as report_of
from provisioning_agent.doctor.examination import examine
from provisioning_agent.doctor.model import Check, Status, exit_code

_STYLES = {Status.OK: "green", Status.WARN: "yellow", Status.FAIL: "red", Status.SKIPPED: "dim"}


def run_doctor(state: Path, *, as_json: bool) -> int:
    """Try everything and print what came back; returns the exit code."""
    checks = examine(state)
    if as_json:
        say(orjson.dumps(report_of(checks, datetime.now(UTC)), option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console(highlight=False, soft_wrap=True)
        for check in checks:
            _print(console, check)
    return exit_code(checks)


def _print(console: Console, check: Check) -> None:
    head = Text(f"{check.status.value.upper():8}", style=_STYLES[check.status])
    console.print(
        head.append(f"{check.name} {check.target}: ", style="bold").append(check.found, style="none")
    )
    if check.status in (Status.WARN, Status.FAIL):
        console.print(f"        tried: {check.tried}", markup=False)
        console.print(f"        mend:  {check.remedy}", markup=False)

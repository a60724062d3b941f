"""``isthmus-agent supervise``."""

from __future__ import annotations

import logging
from pathlib import Path

from provisioning_agent.cli.output import complain
from provisioning_agent.cli.run_command import log_to_stderr
from provisioning_agent.errors import AgentError
from provisioning_agent.updates.supervisor import Supervisor


def supervise_agent(state: Path, lanes: int, trial: float, *, verbose: bool) -> int:
    """Run the current version, and the next; returns the exit code of the last."""
    log_to_stderr(logging.INFO)
    arguments = (f"--state-dir={state}", f"--lanes={lanes}", *(("--verbose",) if verbose else ()))
    try:
        return Supervisor(state, arguments, trial).run()
    except AgentError as error:
        return complain(error)

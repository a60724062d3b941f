"""``isthmus-agent run``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from provisioning_agent.channel.service import run
from provisioning_agent.cli.output import complain
from provisioning_agent.errors import AgentError
from provisioning_agent.support import log_file
from provisioning_agent.support.correlation import Correlation
from provisioning_agent.updates.updating import after_bootstrap


def run_agent(state: Path, lanes: int, *, verbose: bool) -> int:
    """Run until stopped; returns the exit code."""
    log_to_stderr(logging.DEBUG if verbose else logging.INFO)
    try:
        if state.is_dir():
            logging.getLogger("provisioning_agent").addHandler(log_file.handler(state))
        return run(state, lanes, after_bootstrap)
    except AgentError as error:
        return complain(error)


def log_to_stderr(level: int) -> None:
    """Our own lines, and the warnings of libraries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        logging.Formatter("%(asctime)s level=%(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    )
    handler.addFilter(Correlation())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    # Only our own lines: libraries may log URLs and values at these levels.
    logging.getLogger("provisioning_agent").setLevel(level)

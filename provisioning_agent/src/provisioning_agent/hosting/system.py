"""Programs of the host that are run here: by argument list, never through a shell, with their words on failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from provisioning_agent.errors import AgentError

_TIMEOUT_S: Final = 60.0
# Where systemd says that it is the one that runs (sd_booted(3)).
_BOOTED: Final = Path("/run/systemd/system")


def run(*command: str) -> None:
    """Run a program to its end; ``SystemCommandFailed`` with what it said if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AgentError("SystemCommandFailed", f"{command[0]} could not be run: {error}.") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        reason = said[-1] if said else f"exit code {done.returncode}"
        raise AgentError("SystemCommandFailed", f"'{' '.join(command)}' failed: {reason}")


def asks(*command: str) -> bool:
    """Whether a program answers yes, by its exit code."""
    return subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False).returncode == 0


def systemd_runs() -> bool:
    """Whether systemd is there and manages this host."""
    return _BOOTED.is_dir() and shutil.which("systemctl") is not None


def require_root() -> None:
    """``NotRoot`` for anybody else."""
    if os.geteuid() != 0:
        raise AgentError("NotRoot")

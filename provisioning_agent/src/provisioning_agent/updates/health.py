"""The sign by which a supervisor sees that the agent it started has bootstrapped."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from provisioning_agent.files import write_private

_FILE: Final = "health"


def note(state: Path) -> None:
    """This process has bootstrapped."""
    write_private(state / _FILE, str(os.getpid()).encode())


def is_well(state: Path, pid: int) -> bool:
    """Whether that process has bootstrapped since it started."""
    try:
        return (state / _FILE).read_text(encoding="ascii").strip() == str(pid)
    except (OSError, UnicodeDecodeError):
        return False


def forget(state: Path) -> None:
    """Process ids come again: before a new process starts, the sign of the one before goes."""
    (state / _FILE).unlink(missing_ok=True)

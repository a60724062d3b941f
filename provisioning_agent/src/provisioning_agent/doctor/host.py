"""This host: the state directory, the disk, the agent's certificate."""

from __future__ import annotations

import os
import shutil
import stat
from datetime import datetime
from pathlib import Path
from typing import Final

from provisioning_agent.wire.limits import RENEWAL_DAYS

from .model import Check, Status

_FAIL_MB: Final = 20
_WARN_MB: Final = 200
_LATE_DAYS: Final = RENEWAL_DAYS - 5


def check_disk(state: Path) -> Check:
    """Room where the agent writes its state and log."""
    return disk_verdict(str(state), shutil.disk_usage(state).free // 1_000_000)


def disk_verdict(target: str, free_mb: int) -> Check:
    """What the free space means."""
    tried, found = "asked the file system", f"{free_mb} MB free"
    if free_mb < _WARN_MB:
        status = Status.FAIL if free_mb < _FAIL_MB else Status.WARN
        return Check(
            "disk", target, tried, found, status, "Make room: the agent keeps its certificate there."
        )
    return Check("disk", target, tried, found, Status.OK)


def check_files(state: Path) -> Check:
    """Whether anybody but the owner can get at the agent's files."""
    modes = {
        str(path.relative_to(state)): stat.S_IMODE(path.lstat().st_mode)
        for path in [state, *state.rglob("*")]
        if not path.is_symlink()
    }
    return files_verdict(str(state), modes, os.access(state, os.W_OK))


def files_verdict(target: str, modes: dict[str, int], writable: bool) -> Check:
    """What the modes of the files mean, ``modes`` by name."""
    tried = "looked at owner and mode of every file"
    open_ones = sorted(name for name, mode in modes.items() if mode & 0o077 and _is_private(name))
    if open_ones:
        return Check(
            "files",
            target,
            tried,
            f"others can read {', '.join(open_ones)}",
            Status.FAIL,
            f"chmod -R go= {target}",
        )
    if not writable:
        return Check(
            "files",
            target,
            tried,
            "not writable by this user",
            Status.WARN,
            "Run this command as the agent's user.",
        )
    return Check("files", target, tried, "only their owner can read them", Status.OK)


def _is_private(name: str) -> bool:
    # The lock file is empty; whoever sees it learns nothing.
    return name != "run.lock"


def certificate_verdict(agent_id: str, not_before: datetime, not_after: datetime, now: datetime) -> Check:
    """How old the agent's certificate is; it renews itself in its last 30 days."""
    age, left = (now - not_before).days, (not_after - now).days
    tried, found = "read the agent's own certificate", f"{age} days old, {left} days left"
    if not_after <= now:
        remedy = "The certificate has expired: enrol again with a new token."
        return Check("certificate", agent_id, tried, found, Status.FAIL, remedy)
    if left < _LATE_DAYS:
        remedy = "It should have been renewed by now: see that the agent runs and bootstraps."
        return Check("certificate", agent_id, tried, found, Status.WARN, remedy)
    return Check("certificate", agent_id, tried, found, Status.OK)

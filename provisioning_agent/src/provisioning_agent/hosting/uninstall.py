"""What uninstalling consists of: the portal is told first, because the key to tell it with is removed after."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from provisioning_agent import config as configs
from provisioning_agent.channel import identity as identities
from provisioning_agent.channel.clock import SystemClock
from provisioning_agent.channel.http import open_portal
from provisioning_agent.channel.registrations import deregister
from provisioning_agent.errors import AgentError
from provisioning_agent.wire.errors import WireError

from . import system, users
from .install import link_of
from .layout import Layout
from .steps import Step

# The portal has taken it off already.
_GONE = frozenset({"AgentRevoked", "AgentUnknown"})


def steps(layout: Layout, *, keep_registration: bool) -> list[Step]:
    """De-registered, stopped, and every file and the user removed."""
    state, unit_file = layout.at(layout.state), layout.at(layout.unit_file)
    return [
        *([] if keep_registration else [_deregistering(state)]),
        *_stopping(layout),
        _removal(f"remove the unit {unit_file}", unit_file),
        _removal(f"remove the link that enabled {layout.unit}", link_of(layout)),
        *_reloading(layout),
        _removal(f"remove the state directory {state} with key, passwords and logs", state),
        Step(
            f"remove the system user {layout.user}",
            (shlex.join(users.remove_command(layout)),),
            lambda: users.find(layout) is not None or users.group_exists(layout),
            lambda: users.remove(layout),
        ),
    ]


def _deregistering(state: Path) -> Step:
    return Step(
        "tell the portal that this agent is gone for good",
        (),
        lambda: (state / "agent.json").exists(),
        lambda: tell_portal(state),
    )


def tell_portal(state: Path) -> None:
    """De-register; ``PortalNotTold`` where that did not work, so that nothing is removed before it has."""
    try:
        config = configs.load(state)
        http = open_portal(config)
        deregister(http, identities.load(state, config.agent_id), SystemClock().now())
        http.close()
    except (WireError, AgentError) as error:
        if error.code not in _GONE:
            raise AgentError(
                "PortalNotTold",
                f"The portal could not be told ({error.code}: {error.detail}) Nothing was removed. Try again, or "
                "use --keep-registration and revoke the agent in the console.",
            ) from error


def _stopping(layout: Layout) -> list[Step]:
    if layout.in_image or not system.systemd_runs():
        return []
    stop = ("systemctl", "disable", "--now", layout.unit)
    present = layout.unit_file.exists
    return [Step(f"stop and disable {layout.unit}", (shlex.join(stop),), present, lambda: system.run(*stop))]


def _reloading(layout: Layout) -> list[Step]:
    if layout.in_image or not system.systemd_runs():
        return []
    reload = ("systemctl", "daemon-reload")
    return [
        Step("have systemd forget the unit", (shlex.join(reload),), lambda: True, lambda: system.run(*reload))
    ]


def _removal(words: str, path: Path) -> Step:
    def remove() -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    line = f"rm -r {shlex.quote(str(path))}"
    return Step(words, (line,), lambda: os.path.lexists(path), remove)

"""What must hold before anything is given away or removed: the user and the directory are the agent's own."""

from __future__ import annotations

from typing import Final

from provisioning_agent.errors import AgentError

from . import users
from .layout import Layout

# One of these is there as soon as an agent was set up in a directory.
_MARKS: Final = ("agent.json", "pending-key.pem", "secrets", "setup.json")


def require_own(layout: Layout) -> None:
    """Refuse a user or a state directory that belongs to something else."""
    user = users.find(layout)
    if user is not None and (user.home, user.shell) != (str(layout.state), users.NO_SHELL):
        raise AgentError(
            "NotTheAgents",
            f"The user {layout.user} exists with another home ({user.home}) or shell ({user.shell}); "
            "choose another name with --user.",
        )
    state = layout.at(layout.state)
    if state.is_dir() and any(state.iterdir()) and not any((state / mark).exists() for mark in _MARKS):
        raise AgentError(
            "NotTheAgents", f"{state} holds other files than an agent's; choose another with --state-dir."
        )

"""The root of trust for updates, fetched once over verified TLS and kept: at enrolment, or with the first offer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from provisioning_agent.channel.http import PortalHttp
from provisioning_agent.errors import AgentError
from provisioning_agent.files import write_private
from provisioning_agent.wire.errors import WireError

_MAX_ROOT: Final = 512_000


def pin_root(http: PortalHttp, state: Path) -> bool:
    """Keep the portal's first root unless one is kept already; false if the portal has none (yet)."""
    if is_pinned(state):
        return True
    try:
        content = b"".join(http.download(http.url("updates/metadata/1.root.json")))
    except WireError as error:
        if error.status == 404:
            return False
        raise
    if len(content) > _MAX_ROOT:
        raise WireError("UnreadableAnswer")
    write_private(_path(state), content)
    return True


def is_pinned(state: Path) -> bool:
    """Whether a root is kept."""
    return _path(state).exists()


def pinned_root(state: Path) -> bytes:
    """The root kept."""
    try:
        return _path(state).read_bytes()
    except OSError as error:
        raise AgentError("UpdateRefused", "No root of trust for updates is kept on this host.") from error


def _path(state: Path) -> Path:
    return state / "updates" / "root.json"

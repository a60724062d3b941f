"""Where everything lies on the host, or in the directory of an image that is being built. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

USER: Final = "isthmus-agent"
STATE: Final = Path("/var/lib/isthmus-agent")
UNITS: Final = Path("/etc/systemd/system")
# Directories that ProtectHome hides from the service.
HIDDEN: Final = ("/home", "/root", "/run/user", "/tmp", "/var/tmp")  # noqa: S108  # named, not used


@dataclass(frozen=True, slots=True)
class Layout:
    """One installation; paths are the ones the host will see, ``at`` says where they are now."""

    executable: Path
    root: Path = Path("/")
    user: str = USER
    state: Path = STATE

    @property
    def unit(self) -> str:
        """Name of the service; the user's, so that two agents of one host do not meet."""
        return f"{self.user}.service"

    @property
    def unit_file(self) -> Path:
        """The unit's path on the host."""
        return UNITS / self.unit

    @property
    def in_image(self) -> bool:
        """Whether this is a directory with a system that does not run."""
        return self.root != Path("/")

    def at(self, path: Path) -> Path:
        """Where a path of the host lies now."""
        return self.root / path.relative_to("/")

    @property
    def is_hidden(self) -> bool:
        """Whether the sandbox keeps the service from its own program."""
        return hides(self.executable)


def hides(path: Path) -> bool:
    """Whether the service's sandbox hides a path."""
    return any(PurePosixPath(path).is_relative_to(place) for place in HIDDEN)

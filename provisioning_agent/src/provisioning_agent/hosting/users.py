"""The system user: no password, no shell, no home but the state directory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from provisioning_agent.errors import AgentError

from . import system
from .layout import Layout

NO_SHELL: Final = "/usr/sbin/nologin"


@dataclass(frozen=True, slots=True)
class SystemUser:
    """A user as the host's files have it."""

    uid: int
    gid: int
    home: str
    shell: str


def find(layout: Layout) -> SystemUser | None:
    """The user in the host's (or the image's) own passwd file; None if there is none."""
    for line in _lines(layout, "passwd"):
        fields = line.split(":")
        if len(fields) == 7 and fields[0] == layout.user:
            return SystemUser(int(fields[2]), int(fields[3]), fields[5], fields[6])
    return None


def group_exists(layout: Layout) -> bool:
    """Whether the user's own group is there."""
    return any(line.split(":")[0] == layout.user for line in _lines(layout, "group"))


def add_command(layout: Layout) -> tuple[str, ...]:
    """What creates the user; its password is locked from the start."""
    return (
        *_program("useradd", layout),
        "--system",
        *(("--gid", layout.user) if group_exists(layout) else ("--user-group",)),
        *("--home-dir", str(layout.state), "--no-create-home", "--shell", NO_SHELL),
        *("--comment", "Isthmus provisioning agent", layout.user),
    )


def remove_command(layout: Layout) -> tuple[str, ...]:
    """What removes the user, and with it its group."""
    return (*_program("userdel", layout), layout.user)


def add(layout: Layout) -> None:
    """Create the user."""
    system.run(*add_command(layout))


def remove(layout: Layout) -> None:
    """Remove the user and a group that stayed behind."""
    if find(layout) is not None:
        system.run(*remove_command(layout))
    if group_exists(layout):
        system.run(*_program("groupdel", layout), layout.user)


def _program(name: str, layout: Layout) -> tuple[str, ...]:
    return (name, "--prefix", str(layout.root)) if layout.in_image else (name,)


def _lines(layout: Layout, name: str) -> list[str]:
    path = layout.root / "etc" / name
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise AgentError(
            "ImageUnusable", f"{path} can not be read: {layout.root} is not the root of a system."
        ) from error

"""What installing consists of: the steps, in order, each with the test whether it is needed."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from provisioning_agent.files import PRIVATE_DIRECTORY

from . import system, unit, users
from .layout import Layout
from .steps import Step

_UNIT_MODE: Final = 0o644


def steps(layout: Layout) -> list[Step]:
    """User, state directory, unit file, enabled."""
    state, unit_file = layout.at(layout.state), layout.at(layout.unit_file)
    return [
        Step(
            f"create the system user {layout.user}: no password, no shell",
            (shlex.join(users.add_command(layout)),),
            lambda: users.find(layout) is None,
            lambda: users.add(layout),
        ),
        Step(
            f"create the state directory {state}: mode 0700, owned by {layout.user}, with all that is in it",
            (f"install -d -m 0700 -o {layout.user} -g {layout.user} {shlex.quote(str(state))}",),
            lambda: not _is_private(layout),
            lambda: _make_private(layout),
        ),
        Step(
            f"write the systemd unit {unit_file}",
            (f"install -m 0644 {layout.unit} {shlex.quote(str(unit_file))}",),
            lambda: _content(unit_file) != unit.render(layout),
            lambda: _write(unit_file, unit.render(layout)),
        ),
        *_enabling(layout),
    ]


def _enabling(layout: Layout) -> list[Step]:
    """With systemd running it is told; in an image the link alone enables."""
    if layout.in_image:
        return [_linking(layout)]
    if not system.systemd_runs():
        return []
    enable = ("systemctl", "enable", layout.unit)
    start = ("systemctl", "restart", layout.unit)
    return [
        _command("have systemd read the unit", ("systemctl", "daemon-reload"), lambda: True),
        _command(
            f"enable {layout.unit}",
            enable,
            lambda: not system.asks("systemctl", "is-enabled", "--quiet", layout.unit),
        ),
        _command(f"start {layout.unit} with this unit", start, (layout.state / "agent.json").exists),
    ]


def link_of(layout: Layout) -> Path:
    """The link that ``systemctl enable`` makes for this unit."""
    return layout.at(layout.unit_file.parent / "multi-user.target.wants" / layout.unit)


def _linking(layout: Layout) -> Step:
    link = link_of(layout)

    def make() -> None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(layout.unit_file)

    line = f"ln -s {layout.unit_file} {shlex.quote(str(link))}"
    return Step(f"enable {layout.unit}", (line,), lambda: not link.is_symlink(), make)


def _command(words: str, command: tuple[str, ...], needed: Callable[[], bool]) -> Step:
    return Step(words, (shlex.join(command),), needed, lambda: system.run(*command))


def _is_private(layout: Layout) -> bool:
    user, state = users.find(layout), layout.at(layout.state)
    if user is None or not state.is_dir():
        return False
    own = all((found.lstat().st_uid, found.lstat().st_gid) == (user.uid, user.gid) for found in _all(state))
    return own and stat.S_IMODE(state.stat().st_mode) == PRIVATE_DIRECTORY


def _make_private(layout: Layout) -> None:
    user, state = users.find(layout), layout.at(layout.state)
    state.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    state.chmod(PRIVATE_DIRECTORY)
    for found in _all(state):
        if user is not None:
            os.chown(found, user.uid, user.gid, follow_symlinks=False)


def _all(state: Path) -> list[Path]:
    return [state, *state.rglob("*")]


def _content(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(_UNIT_MODE)

"""``isthmus-agent install`` and ``uninstall``: told first, then done."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from provisioning_agent.cli.output import complain, say
from provisioning_agent.errors import AgentError
from provisioning_agent.hosting import install as installing
from provisioning_agent.hosting import system
from provisioning_agent.hosting import uninstall as uninstalling
from provisioning_agent.hosting.layout import USER, Layout, hides
from provisioning_agent.hosting.safety import require_own
from provisioning_agent.hosting.steps import Step, announce, perform


def layout_of(root: Path | None, user: str | None, state: Path, executable: Path | None) -> Layout:
    """The installation that the options describe."""
    program = executable or Path(sys.executable).absolute().with_name("isthmus-agent")
    return Layout(program, (root or Path("/")).absolute(), user or USER, state)


def install(layout: Layout, *, dry_run: bool) -> int:
    """Install and report; returns the exit code."""
    return _run(lambda: _install(layout, dry_run=dry_run))


def uninstall(layout: Layout, *, keep_registration: bool, dry_run: bool) -> int:
    """Uninstall and report; returns the exit code."""
    return _run(lambda: _uninstall(layout, keep_registration=keep_registration, dry_run=dry_run))


def _run(work: Callable[[], None]) -> int:
    try:
        work()
    except AgentError as error:
        return complain(error)
    except OSError as error:
        return complain(AgentError("HostNotWritable", f"{error.filename}: {error.strerror}."))
    return 0


def _install(layout: Layout, *, dry_run: bool) -> None:
    if layout.is_hidden:
        raise AgentError(
            "ExecutableHidden",
            f"{layout.executable} lies where the service may not look; make the virtual environment below /opt.",
        )
    if not layout.in_image and hides(Path(sys.base_prefix)):
        say(
            f"Warning: Python itself lies in {sys.base_prefix}, where the service may not look. Unless the program "
            "has another, make its virtual environment with the system's Python (/usr/bin/python3 -m venv)."
        )
    require_own(layout)
    _through(f"Installing the agent in {layout.root}:", installing.steps(layout), dry_run=dry_run)
    if not layout.in_image and not system.systemd_runs():
        say(
            f"systemd does not run here: the unit {layout.unit_file} is left as a file, "
            "neither enabled nor started."
        )
    if not dry_run and not layout.at(layout.state / "agent.json").exists():
        say("Not enrolled yet: the service starts once 'isthmus-agent configure' or 'enrol' is through.")


def _uninstall(layout: Layout, *, keep_registration: bool, dry_run: bool) -> None:
    require_own(layout)
    steps = uninstalling.steps(layout, keep_registration=keep_registration)
    _through(f"Removing the agent from {layout.root}:", steps, dry_run=dry_run)
    if keep_registration:
        say("The portal still knows this agent; revoke it in the console.")
    say(f"The program itself stays: {layout.executable.parent.parent}")


def _through(headline: str, steps: list[Step], *, dry_run: bool) -> None:
    say(headline)
    announce(steps, say)
    if dry_run:
        say("Nothing was changed (--dry-run).")
        return
    system.require_root()
    perform(steps, say)

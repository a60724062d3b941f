"""The command as it is installed: quick to answer, and free of what only the service needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lab.agent.host import COMMAND

HEAVY = ("ldap3", "requests", "cryptography", "jwt", "rich", "orjson")
FOREIGN = ("django", "celery", "psycopg", "impacket", "agents", "provisioning", "portal")


def modules_after(program: str) -> set[str]:
    """The top-level modules loaded when a program has run."""
    report = "\nimport sys; print('\\n'.join({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program + report], capture_output=True, text=True, check=True, cwd="/"
    )
    return set(done.stderr.split())


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['isthmus-agent', '--help']\n"
        "from provisioning_agent.cli.main import app\n"
        "app(standalone_mode=False)"
    )
    assert not modules_after(program) & set(HEAVY)


def test_the_agent_needs_nothing_of_the_service() -> None:
    program = (
        "import importlib, pkgutil, provisioning_agent\n"
        "for found in pkgutil.walk_packages(provisioning_agent.__path__, 'provisioning_agent.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert not modules_after(program) & set(FOREIGN)


def test_the_wire_needs_nothing_of_the_agent() -> None:
    program = (
        "import importlib, pkgutil, provisioning_agent.wire as wire\n"
        "for found in pkgutil.walk_packages(wire.__path__, 'provisioning_agent.wire.'):\n"
        "    importlib.import_module(found.name)"
    )
    assert not modules_after(program) & {"ldap3", "requests", "typer", "rich"}


@pytest.mark.parametrize(
    "command", [[], ["enrol"], ["run"], ["status"], ["doctor"], ["export-logs"], ["permissions", "grant"]]
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = subprocess.run([str(COMMAND), *command, "--help"], capture_output=True, text=True, check=True)
    assert "--help" in done.stdout


@pytest.mark.parametrize("command", ["run", "status"])
def test_an_agent_that_is_not_enrolled_says_so(command: str, tmp_path: object) -> None:
    done = subprocess.run(
        [str(COMMAND), command, f"--state-dir={tmp_path}/none"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "NotEnrolled")

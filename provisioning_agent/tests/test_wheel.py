"""The agent as it is delivered: a wheel, installed alone into an empty virtual environment."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
# What belongs to the server, by the names it is imported as.
FOREIGN = (
    "django",
    "celery",
    "psycopg",
    "rest_framework",
    "kombu",
    "portal",
    "agents",
    "provisioning",
    "directory",
)
# What a command may need, but help never does.
HEAVY = ("ldap3", "requests", "cryptography", "rich", "dns", "yaml", "jwt", "orjson", "ssl")
HELP_S = 0.3


def run(*command: str | Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel and what it asks for."""
    directory = tmp_path_factory.mktemp("wheel")
    # A copy: building leaves files beside the source.
    source = directory / "source"
    shutil.copytree(
        SOURCE, source, ignore=shutil.ignore_patterns("*.egg-info", "build", "__pycache__", "tests")
    )
    run(UV, "build", "--quiet", "--wheel", "--out-dir", directory, source)
    (wheel,) = directory.glob("isthmus_agent-*.whl")
    run(UV, "venv", "--quiet", "--python", sys.executable, directory / "venv")
    run(UV, "pip", "install", "--quiet", "--python", directory / "venv/bin/python", wheel)
    return directory / "venv"


def test_nothing_of_the_server_comes_along(environment: Path) -> None:
    probe = f"import importlib.util as u; print([n for n in {FOREIGN!r} if u.find_spec(n)])"
    # Not from the project's directory, whose packages would be found there.
    assert run(environment / "bin/python", "-I", "-c", probe).strip() == "[]"


def test_every_module_can_be_imported(environment: Path) -> None:
    walk = (
        "import pkgutil, importlib, provisioning_agent as p\n"
        "names = [m.name for m in pkgutil.walk_packages(p.__path__, 'provisioning_agent.')]\n"
        "[importlib.import_module(name) for name in names]\n"
        "print(len(names))"
    )
    assert int(run(environment / "bin/python", "-I", "-c", walk)) > 100


@pytest.mark.parametrize("words", [(), ("permissions",), ("configure",), ("install",)])
def test_help_loads_nothing_heavy(environment: Path, words: tuple[str, ...]) -> None:
    probe = (
        "import sys\n"
        "from provisioning_agent.cli.main import app\n"
        f"app({[*words, '--help']!r}, standalone_mode=False)\n"
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert run(environment / "bin/python", "-I", "-c", probe).splitlines()[-1] == "LOADED []"


def test_help_answers_at_once(environment: Path) -> None:
    # Processor time, not time on the clock: other work on this machine is no property of the agent.
    used = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "configure" in run(environment / "bin/isthmus-agent", "--help")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(used) < HELP_S

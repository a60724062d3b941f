"""What the service's sandbox lets the agent do, tried inside it: updates are installed and started, nothing else is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.agent.host import COMMAND
from lab.agent.sandbox import EXIT_NO_NAMESPACE, options_of
from lab.wheels import agent_wheel
from provisioning_agent.hosting.layout import Layout, hides
from provisioning_agent.hosting.unit import render

ROOT = Path(__file__).resolve().parents[2]
USER = "nobody"
UPDATE = (
    "import sys; from pathlib import Path; from provisioning_agent.updates.installing import install;"
    "from provisioning_agent.updates.versions import Versions;"
    "versions = Versions(Path(sys.argv[1])); install(versions, Path(sys.argv[2]), '0.2.0');"
    "versions.switch('0.2.0')"
)
Inside = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory where a service has one, and one beside it that everybody may write."""
    folder = Path(tempfile.mkdtemp(prefix="isthmus-t", dir="/var/lib"))
    folder.chmod(0o755)
    for name in ("state", "open"):
        (folder / name).mkdir()
        (folder / name).chmod(0o777)
        shutil.chown(folder / name, USER)
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def inside(state: Path, tmp_path: Path) -> Inside:
    """Runs a command in the sandbox of the unit that `install` writes."""
    unit = tmp_path / "isthmus-agent.service"
    unit.write_text(render(Layout(COMMAND, user=USER, state=state)))

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "lab.agent.sandbox", str(unit), *command]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
        if done.returncode == EXIT_NO_NAMESPACE:
            pytest.fail(done.stderr) if os.environ.get("CI") == "true" else pytest.skip(done.stderr)
        return done

    return run


def test_an_update_is_installed_and_started_inside_the_sandbox(inside: Inside, state: Path) -> None:
    release = agent_wheel(state, "0.2.0")
    done = inside(sys.executable, "-I", "-c", UPDATE, str(state), str(release))
    assert done.returncode == 0, done.stderr
    started = inside(str(COMMAND), "supervise", f"--state-dir={state}")
    # The new version runs, and says what is missing here: it is not enrolled.
    assert (started.returncode, "event=agent-started version=0.2.0" in started.stderr) == (4, True), (
        started.stderr
    )
    assert "NotEnrolled" in started.stderr


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        ("open('{beside}/open/file', 'w')", "Read-only file system"),
        ("os.chown('{beside}/state', -1, -1)", "Operation not permitted"),
        ("os.sched_setaffinity(0, {{0}})", "Operation not permitted"),
    ],
)
def test_everything_else_is_refused(attempt: str, refusal: str, inside: Inside, state: Path) -> None:
    done = inside(sys.executable, "-I", "-c", f"import os; {attempt.format(beside=state.parent)}")
    assert (done.returncode, refusal in done.stderr) == (1, True), done.stderr


def test_what_the_supervisor_is_given_to_write_is_what_the_sandbox_lets_it_write() -> None:
    state = Path("/srv/agent of 100%")
    options = options_of(render(Layout(Path("/opt/a/bin/isthmus-agent"), state=state)))
    assert options["ExecStart"][1:] == ["supervise", "--state-dir", str(state)]
    assert options["ProtectSystem"] == ["strict"]
    assert options["ReadWritePaths"] == [str(state)]


@pytest.mark.parametrize(
    ("path", "expected"), [("/root/.pyenv/versions/3.11.7", True), ("/usr", False), ("/homes/x", False)]
)
def test_what_the_sandbox_hides_is_known(path: str, expected: bool) -> None:
    assert hides(Path(path)) is expected

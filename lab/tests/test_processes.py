from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from lab.errors import LabError
from lab.processes import Child, run

SLEEPER = [sys.executable, "-c", "print('ready', flush=True); import time; time.sleep(600)"]


def test_a_child_runs_until_it_is_stopped_and_its_output_is_in_the_log(tmp_path: Path) -> None:
    child = Child(SLEEPER, tmp_path / "log")
    with child:
        child.wait_until(lambda: "ready" in child.log_tail(), seconds=20)
        pid = child.pid
    assert not child.running
    assert not Path(f"/proc/{pid}").exists()


def test_grandchildren_are_ended_and_collected_too(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; wait"
    with Child(["sh", "-c", script], tmp_path / "log") as child:
        child.wait_until(lambda: pid_file.exists() and pid_file.read_text().strip() != "", seconds=20)
    assert not Path(f"/proc/{pid_file.read_text().strip()}").exists()


def test_a_program_that_ignores_the_polite_signal_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"
    )
    child = Child([sys.executable, "-c", code], tmp_path / "log").start()
    child.wait_until(lambda: "ready" in child.log_tail(), seconds=20)
    pid = child.pid
    child.stop(seconds=0.2)
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_ends_while_waited_for_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = Child(["sh", "-c", "echo no such thing; exit 3"], tmp_path / "log").start()
    with pytest.raises(LabError, match="no such thing") as caught:
        child.wait_until(lambda: False, seconds=20)
    assert caught.value.code == "LabServerDied"
    child.stop()


def test_waiting_too_long_is_an_error(tmp_path: Path) -> None:
    with Child(SLEEPER, tmp_path / "log") as child, pytest.raises(LabError) as caught:
        child.wait_until(lambda: False, seconds=0.1)
    assert caught.value.code == "LabTimeout"


def test_a_killed_child_can_be_started_again(tmp_path: Path) -> None:
    child = Child(SLEEPER, tmp_path / "log").start()
    child.kill()
    assert not child.running
    child.start()
    assert child.running
    child.stop()


def test_a_failing_command_is_reported_without_the_secret() -> None:
    with pytest.raises(LabError, match=r"status 4") as caught:
        run(["sh", "-c", "echo the password is $0; exit 4", "hush"], secret="hush")
    assert "hush" not in str(caught.value)
    assert "***" in str(caught.value)


def test_a_command_reads_what_it_is_fed() -> None:
    assert run(["cat"], stdin=["one\n", "two\n"]) == "one\ntwo\n"


def test_a_child_whose_input_closes_with_us_ends_when_we_are_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib; from lab.processes import Child;"
        "c = Child(['cat'], pathlib.Path(sys.argv[1])).start(); print(c.pid, flush=True); time.sleep(600)"
    )
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", code, str(tmp_path / "log")]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.kill()
    owner.communicate()
    with Child(SLEEPER, tmp_path / "clock") as clock:
        clock.wait_until(lambda: not _is_alive(pid), seconds=20)


def _is_alive(pid: int) -> bool:
    """Whether it runs; a zombie that nobody collects does not."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

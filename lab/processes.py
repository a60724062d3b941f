"""Child processes with a log file, a readiness wait and a clean end of the whole process group."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

from lab.errors import LabError

# linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36


class Child:
    """One program in a process group of its own, writing to a log file.

    Its standard input is a pipe that closes when this process dies, so that a server which
    watches its input (Samba does) ends with us even after SIGKILL.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        self.command = list(command)
        self.log = log
        self.environment = environment
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id; LabError when it was not started."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended yet."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_status(self) -> int | None:
        """Exit status as subprocess gives it (negative: the signal), None while it runs."""
        return self._started().poll()

    def start(self) -> Child:
        """Start the program; its output is appended to the log."""
        if self.running:
            raise LabError("LabWrongState", f"{self.command[0]} is already running.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        _adopt_orphans()
        environment = None if self.environment is None else {**os.environ, **self.environment}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=environment,
                start_new_session=True,
            )
        return self

    def wait_until(self, ready: Callable[[], bool], *, seconds: float, every: float = 0.05) -> None:
        """Poll ``ready`` until it is true; LabError when the program dies first or time runs out."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise LabError("LabServerDied", f"{self._name} ended at once:\n{self.log_tail()}\n")
            if time.monotonic() > deadline:
                raise LabError(
                    "LabTimeout", f"{self._name} was not ready in {seconds:.0f} s:\n{self.log_tail()}\n"
                )
            time.sleep(every)

    def stop(self, *, seconds: float = 10.0) -> None:
        """SIGTERM to the program, SIGKILL to whatever of its group is left after ``seconds``."""
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            _wait_quietly(process, seconds)
        self._end_group(seconds=1.0)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
        self._process = None

    def kill(self) -> None:
        """SIGKILL to the whole group, as a crash would do it; the object can be started again."""
        _signal_group(self.pid, signal.SIGKILL)
        self.stop()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Child:
        return self if self.running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _name(self) -> str:
        return Path(self.command[0]).name

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LabError("LabWrongState", f"{self._name} is not started.")
        return self._process

    def _end_group(self, seconds: float) -> None:
        """Wait for the rest of the group to go, then kill and collect what is left of it."""
        deadline = time.monotonic() + seconds
        while _collect_group(self.pid):
            if time.monotonic() > deadline:
                _signal_group(self.pid, signal.SIGKILL)
            time.sleep(0.02)


def run(command: Sequence[str], *, stdin: Iterable[str] = (), secret: str | None = None) -> str:
    """Run a command to its end, feeding it ``stdin``; returns its standard output.

    LabError with the command's last lines when it fails; ``secret`` is blanked in them.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            list(command), stdin=subprocess.PIPE, stdout=output, stderr=errors, text=True
        )
        _feed(process, stdin)
        status = process.wait()
        texts = [_whole(output), _whole(errors)]
    if status == 0:
        return texts[0]
    tail = "\n".join("".join(texts).splitlines()[-8:])
    if secret:
        tail = tail.replace(secret, "***")
    raise LabError("LabCommandFailed", f"{Path(command[0]).name} ended with status {status}:\n{tail}\n")


def _feed(process: subprocess.Popen[str], lines: Iterable[str]) -> None:
    """Write the lines; a program that stops reading early tells why by its exit status, not here."""
    if process.stdin is None:
        return
    with contextlib.suppress(BrokenPipeError):
        process.stdin.writelines(lines)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()


def _whole(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


def _wait_quietly(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _signal_group(process.pid, signal.SIGKILL)


def _adopt_orphans() -> None:
    """Make this process the parent of grandchildren whose own parent ended.

    Samba's helper processes outlive their parents for a moment; where process 1 collects nobody, as in
    many containers, they would stay as zombies for ever.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")


def _collect_group(group: int) -> bool:
    """Collect ended processes of a group; whether any process of it is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-group, os.WNOHANG)[0]:
            pass
    return _signal_group(group, 0)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group (0 only asks); whether anybody was there."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True

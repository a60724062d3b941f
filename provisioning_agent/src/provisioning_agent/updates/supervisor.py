"""``isthmus-agent supervise``: starts the current version, and goes back if a new one does not bootstrap."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

from provisioning_agent.errors import EXIT_RESTART

from . import health
from .updating import SUPERVISED
from .versions import Versions

log = logging.getLogger(__name__)

TRIAL_S: Final = 300.0
_TICK_S: Final = 0.2
_STOP_S: Final = 15.0


class Supervisor:
    """One agent at a time, as a child process. It is small and never updated itself."""

    def __init__(self, state: Path, arguments: tuple[str, ...], trial_s: float = TRIAL_S) -> None:
        self._state = state
        self._arguments = arguments
        self._trial_s = trial_s
        self._versions = Versions(state)
        self._child: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def run(self) -> int:
        """Until the agent ends for another reason than an update; returns its exit code."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while True:
            on_trial = bool(self._versions.record().trial)
            code = self._on_trial() if on_trial else self._start().wait()
            if self._stopping or code not in (EXIT_RESTART, None):
                return code or 0

    def _on_trial(self) -> int | None:
        """The version on trial, to its end; None after going back."""
        if not self._versions.is_complete(self._versions.current()) and self._versions.current():
            self._go_back("it is not whole")
            return None
        child = self._start()
        reason = self._watch(child)
        if self._stopping:
            return child.wait()
        if reason:
            _end(child)
            self._go_back(reason)
            return None
        log.info("event=update-accepted version=%s", self._versions.record().trial)
        self._versions.accept()
        return child.wait()

    def _watch(self, child: subprocess.Popen[bytes]) -> str:
        """Empty as soon as the agent has bootstrapped, else why it is not going to."""
        until = time.monotonic() + self._trial_s
        while time.monotonic() < until and not self._stopping:
            if health.is_well(self._state, child.pid):
                return ""
            code = child.poll()
            if code is not None:
                return f"it ended with {code}"
            time.sleep(_TICK_S)
        return f"it did not bootstrap within {self._trial_s:.0f} s"

    def _go_back(self, reason: str) -> None:
        failed = self._versions.go_back(datetime.now(UTC))
        log.error('event=update-rolled-back version=%s reason="%s"', failed, reason)

    def _start(self) -> subprocess.Popen[bytes]:
        health.forget(self._state)
        command = self._versions.command() or Path(sys.executable).with_name("isthmus-agent")
        self._child = subprocess.Popen(
            [str(command), "run", *self._arguments], env={**os.environ, SUPERVISED: "1"}
        )
        log.info("event=agent-started version=%s pid=%d", self._versions.current() or "-", self._child.pid)
        if self._stopping:
            self._child.terminate()
        return self._child

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        if self._child is not None:
            self._child.terminate()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

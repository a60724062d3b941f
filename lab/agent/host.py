"""A host on which the real ``isthmus-agent`` command is run as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.agent.portal_server import Portal
from lab.samba import SambaForest

COMMAND = Path(sys.executable).with_name("isthmus-agent")


class AgentHost:
    """The files an administrator would have, and the processes started."""

    def __init__(self, portal: Portal, forest: SambaForest, directory: Path) -> None:
        self.portal = portal
        self.forest = forest
        self.state = directory / "state"
        self.token_file = directory / "token"
        self.token_file.write_text(portal.token + "\n")
        self.password_file = directory / "password"
        self.account = forest.account("isthmus-agent")
        self.password_file.write_text(self.account.password + "\n")
        self.log = directory / "agent.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def command(
        self, *arguments: str, timeout: float = 60, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [str(COMMAND), *arguments],
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            env={**self._environment(), **(environment or {})},
        )

    def enrol(self, **changes: str | None) -> subprocess.CompletedProcess[str]:
        """``isthmus-agent enrol``; a changed option of None is left out."""
        return self.command(*self.enrolling(**changes))

    def enrolling(self, **changes: str | None) -> list[str]:
        """The words of that command."""
        options: dict[str, str | None] = {
            "portal": self.portal.url,
            "token-file": str(self.token_file),
            "ca-file": str(self.portal.tls.ca),
            "domain": self.forest.dns_name,
            "server": self.forest.address,
            "bind-user": self.account.user_principal_name,
            "password-file": str(self.password_file),
            "dc-ca-file": str(self.forest.ca_file),
            "name": "test-host",
            "state-dir": str(self.state),
        }
        options |= {name.replace("_", "-"): value for name, value in changes.items()}
        return ["enrol", *(f"--{name}={value}" for name, value in options.items() if value is not None)]

    def run(self, *options: str) -> subprocess.Popen[bytes]:
        """``isthmus-agent run`` in the background, its log in ``log``."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [str(COMMAND), "run", f"--state-dir={self.state}", *options],
                stderr=log,
                env=self._environment(),
            )
        self._running.append(process)
        return process

    def enrolled_and_running(self) -> subprocess.Popen[bytes]:
        """An agent that listens on the bus."""
        done = self.enrol()
        assert done.returncode == 0, done.stderr
        process = self.run()
        self.portal.wait_for(lambda: bool(self.portal.bootstraps))
        return process

    def status(self) -> dict[str, Any]:
        """``isthmus-agent status --json``."""
        shown = self.command("status", "--json", f"--state-dir={self.state}")
        assert shown.returncode == 0, shown.stderr
        report: dict[str, Any] = json.loads(shown.stdout)
        return report

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text() if self.log.exists() else ""

    def stop(self, process: subprocess.Popen[bytes], seconds: float = 10) -> int:
        """SIGTERM, and the exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(seconds)

    def stop_all(self) -> None:
        """Nothing of this test stays behind."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait()

    def wait_for_log(self, text: str, seconds: float = 20) -> None:
        """Wait for a line."""
        end = time.monotonic() + seconds
        while text not in self.text():
            assert time.monotonic() < end, f"{text!r} never came:\n{self.text()}"
            time.sleep(0.05)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "NO_COLOR": "1"}

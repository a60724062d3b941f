"""Isthmus itself as a set of processes: portal, agents' listener, worker and beat, on a database of its own.

Used by the demo, by the tests that cross processes, and by the benchmarks. Nothing here imports Django: what
has to be done inside is done by management commands, as an operator would.
"""

from __future__ import annotations

import os
import secrets
import socket
import string
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab.portal_client import PortalClient
from lab.processes import Child, run

ROOT = Path(__file__).resolve().parents[1]
PROCFILE = ROOT / "Procfile"
ADMIN = "admin"
START_SECONDS = 60.0


class Stack:
    """One installation in ``directory``; ``settings`` are further environment variables for it."""

    def __init__(self, directory: Path, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.console_port = free_port()
        self.agent_port = free_port()
        self.settings = dict(settings or {})
        self.children: dict[str, Child] = {}

    def prefer_ports(self, console: int, agents: int) -> None:
        """Use these ports where nothing listens on them yet."""
        self.console_port = self.console_port if _listens(console) else console
        self.agent_port = self.agent_port if _listens(agents) else agents

    @property
    def console_url(self) -> str:
        """Where people reach the console."""
        return f"http://localhost:{self.console_port}"

    @property
    def agent_url(self) -> str:
        """Where agents reach the hybrid identity service."""
        return f"https://localhost:{self.agent_port}"

    @property
    def ca_file(self) -> Path:
        """The authority of the agents' listener, in PEM."""
        return self.directory / "tls" / "ca.pem"

    @property
    def password_file(self) -> Path:
        """The administrator's generated password."""
        return self.directory / "admin-password"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of ours needs in its environment."""
        return {
            "ISTHMUS_VAR": str(self.directory),
            "ISTHMUS_PUBLIC_URL": self.console_url,
            "ISTHMUS_AGENT_URL": self.agent_url,
            "ISTHMUS_CONSOLE_PORT": str(self.console_port),
            "ISTHMUS_AGENT_PORT": str(self.agent_port),
            "ISTHMUS_TLS_DIR": str(self.directory / "tls"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
            # Whatever the caller's environment says: its own database, its own broker.
            "DATABASE_URL": "",
            "ISTHMUS_BROKER_URL": "filesystem://",
            **self.settings,
        }

    def prepare(self) -> None:
        """Database, tables, TLS certificate and administrator; can be repeated."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "--verbosity", "0")
        self.manage(
            "make_tls_certificate",
            "--host",
            "localhost",
            "--host",
            "127.0.0.1",
            "--out",
            str(self.ca_file.parent),
        )
        if not self.password_file.exists():
            descriptor = os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(_password())
        self.manage("ensure_admin", "--username", ADMIN, "--password-file", str(self.password_file))

    def start(self) -> None:
        """Start every process of the Procfile, each on its own, and wait until the portal is ready."""
        for name in procfile_commands():
            self.start_process(name)
        self.wait_until_ready(self.children["console"])

    def start_process(self, name: str) -> Child:
        """Start (again) one process of the Procfile."""
        command = ["sh", "-c", procfile_commands()[name]]
        child = Child(
            command, self.directory / "log" / f"{name}.log", environment=self.environment, directory=ROOT
        )
        self.children[name] = child
        return child.start()

    def wait_until_ready(self, child: Child) -> None:
        """Wait until both listeners answer; a child that dies meanwhile ends the wait with its log."""
        child.wait_until(self._answers, seconds=START_SECONDS, every=0.1)

    def stop(self) -> None:
        """Stop what runs: beat and workers first, the database last."""
        for name in ("beat", "worker", "hybrid", "console", "postgres"):
            if name in self.children:
                self.children.pop(name).stop()

    def stop_database(self) -> None:
        """Stop the embedded server, which ``prepare`` started and ``honcho`` may have left running."""
        if (self.directory / "postgres").exists():
            self.manage("embedded_postgres", "--stop")

    def manage(self, *arguments: str) -> str:
        """Run a management command in this installation; returns what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        variables = [f"{name}={value}" for name, value in self.environment.items()]
        return run(["env", "-C", str(ROOT), *variables, *command])

    def client(self) -> PortalClient:
        """A REST client signed in as the administrator."""
        return PortalClient.sign_in(self.console_url, ADMIN, self.password_file.read_text().strip())

    def _answers(self) -> bool:
        return all(_listens(port) for port in (self.console_port, self.agent_port))


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """The stack prepared and started; stopped at the end, whatever happens."""
    try:
        stack.prepare()
        stack.start()
        yield stack
    finally:
        stack.stop()


def procfile_commands() -> dict[str, str]:
    """The commands of the Procfile by process name."""
    pairs = (line.split(":", 1) for line in PROCFILE.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.strip(): command.strip() for name, command in pairs}


def free_port() -> int:
    """A TCP port on loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _password() -> str:
    alphabet = string.ascii_letters + string.digits
    return "".join(secrets.choice(alphabet) for _ in range(20))

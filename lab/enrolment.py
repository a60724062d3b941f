"""A real agent on this machine, enrolled with a running installation, and configurations for its domain."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

from lab.errors import LabError
from lab.portal_client import Document, PortalClient, wait_for
from lab.processes import Child
from lab.samba import SambaForest
from lab.stack import Stack

PROGRAM = str(Path(sys.executable).with_name("isthmus-agent"))
ENROL_SECONDS = 60.0


class Agent:
    """One agent between a forest and an installation; ``process`` is its ``run`` command."""

    def __init__(self, stack: Stack, forest: SambaForest, directory: Path, name: str = "") -> None:
        self.stack = stack
        self.forest = forest
        self.directory = directory
        self.name = name or socket.gethostname()
        self.state = directory / "state"
        self.process = Child([PROGRAM, "run", "--state-dir", str(self.state)], directory / "run.log")

    @property
    def id(self) -> str:
        """The id that the portal gave it."""
        return str(json.loads((self.state / "agent.json").read_text())["agentId"])

    def enrol(self, client: PortalClient) -> None:
        """Register with a fresh one-time token."""
        token = client.post("enrolment-tokens/", {"label": self.name})["token"]
        self._enrol("--token-file", str(self._secret("token", token)))

    def enrol_again(self) -> None:
        """The same agent takes over what changed in the forest: the account's password, the CA."""
        self._enrol()

    def _enrol(self, *more: str) -> None:
        enrolment = Child([PROGRAM, "enrol", *self._arguments(), *more], self.directory / "enrol.log")
        enrolment.start()
        wait_for(
            lambda: not enrolment.running, "The enrolment of the agent", seconds=ENROL_SECONDS, every=0.05
        )
        status, tail = enrolment.exit_status, enrolment.log_tail()
        enrolment.stop()
        if status != 0:
            raise LabError("LabCommandFailed", f"isthmus-agent enrol ended with {status}:\n{tail}\n")

    def _arguments(self) -> list[str]:
        account = self.forest.account("isthmus-agent")
        arguments = {
            "--portal": self.stack.agent_url,
            "--ca-file": str(self.stack.ca_file),
            "--domain": self.forest.dns_name,
            "--server": self.forest.address,
            "--bind-user": account.user_principal_name,
            "--password-file": str(self._secret("password", account.password)),
            "--dc-ca-file": str(self.forest.ca_file),
            "--name": self.name,
            "--state-dir": str(self.state),
        }
        return [word for pair in arguments.items() for word in pair]

    def _secret(self, kind: str, secret: str) -> Path:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{kind}.txt"
        path.touch(mode=0o600)
        path.write_text(secret)
        return path


def configure(client: PortalClient, name: str, fqdn: str, **fields: object) -> Document:
    """Create a configuration of the domain to the built-in directory; returns its job, not started."""
    domain = next(one for one in client.all("domains/") if one["fqdn"] == fqdn)
    targets = list(client.all("targets/"))
    target = (
        targets[0] if targets else client.post("targets/", {"name": "Cloud directory", "kind": "directory"})
    )
    configuration = client.post(
        "configurations/", {"name": name, "domain": domain["id"], "target": target["id"], **fields}
    )
    return next(iter(client.all("jobs/", configuration=configuration["id"])))


def start_configuration(client: PortalClient, name: str, fqdn: str, **fields: object) -> Document:
    """Create a configuration of the domain to the built-in directory and start its job."""
    job = configure(client, name, fqdn, **fields)
    return client.post(f"jobs/{job['id']}/start/")

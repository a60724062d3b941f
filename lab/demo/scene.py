"""Setting the scene: domain controller, portal, worker, beat and agent, and a configuration between them."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from lab import packages
from lab.enrolment import Agent, start_configuration
from lab.forests import prepare
from lab.population import Company
from lab.portal_client import Document, PortalClient, wait_for
from lab.processes import Child
from lab.samba import SambaForest
from lab.stack import ROOT, Stack

REALM, NETBIOS = "CORP.EXAMPLE", "CORP"
# Loopback addresses of its own, so that nothing else on the machine is in its way.
DC_ADDRESS = "127.0.1.10"
CONSOLE_PORT, AGENT_PORT = 8000, 8443
CONFIGURATION = "Corp to the cloud directory"

Tell = Callable[[str], None]


@dataclass
class Scene:
    """Everything the demo runs; ``directory`` is emptied first."""

    directory: Path
    company: Company
    forest: SambaForest
    stack: Stack
    agent: Agent | None = None
    honcho: Child | None = None
    client: PortalClient = field(init=False)
    job: Document = field(init=False)

    @classmethod
    def at(cls, directory: Path) -> Scene:
        """A scene in this directory; nothing is started."""
        forest = SambaForest(REALM, NETBIOS, DC_ADDRESS, directory / "ad")
        stack = Stack(directory / "isthmus")
        stack.prefer_ports(CONSOLE_PORT, AGENT_PORT)
        return cls(directory, Company(forest.base_dn), forest, stack)

    def set_up(self, tell: Tell) -> None:
        """Start everything and enable the configuration."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        packages.ensure(*packages.SAMBA)
        with ThreadPoolExecutor(max_workers=1) as pool:
            tell("A throw-away Active Directory domain is being provisioned and filled")
            directory = pool.submit(self._start_directory)
            tell("Database, tables, certificates and the administrator are being made")
            self.stack.prepare()
            tell("Portal, worker and beat are starting")
            self._start_honcho()
            directory.result()
        tell("The agent enrols with a one-time token and bootstraps")
        self.client = self.stack.client()
        self._start_agent()
        tell("The configuration is created and its job started")
        self.job = self._configure()

    def tear_down(self) -> None:
        """Stop every child: agent first, then Isthmus, then the domain controller."""
        for child in (self.agent.process if self.agent else None, self.honcho):
            if child is not None:
                child.stop(seconds=40)
        self.stack.stop_database()
        self.forest.stop()

    def _start_directory(self) -> None:
        prepare(self.forest, self.company)
        self.forest.start()

    def _start_honcho(self) -> None:
        self.honcho = Child(
            [sys.executable, "-m", "lab.patient_honcho", "start", "-f", "Procfile"],
            self.directory / "isthmus.log",
            environment=self.stack.environment,
            directory=ROOT,
        ).start()
        self.stack.wait_until_ready(self.honcho)

    def _start_agent(self) -> None:
        self.agent = Agent(self.stack, self.forest, self.directory / "agent")
        self.agent.enrol(self.client)
        self.agent.process.start()
        wait_for(self._agent_is_active, "The first bootstrap of the agent", seconds=60)

    def _agent_is_active(self) -> bool:
        return any(agent["state"] == "active" for agent in self.client.all("agents/"))

    def _configure(self) -> Document:
        return start_configuration(self.client, CONFIGURATION, self.forest.dns_name)

"""One company joined to the installation: its forest, its agents, its configuration and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

from lab.enrolment import Agent, configure
from lab.population import Company
from lab.portal_client import Document, PortalClient, wait_for
from lab.samba import SambaForest
from lab.smtp import Mailbox
from lab.stack import Stack
from tests import worlds
from tests.database import Database

# Far more than a cycle takes: a test that waits this long has failed.
PATIENCE_S = 60.0
ENDED = ("done", "failed", "held")
_FORGET = (
    "DELETE FROM directory_membership WHERE group_id IN"
    " (SELECT id FROM directory_group WHERE attributes->>'DnsDomainName' = %s)",
    "DELETE FROM directory_user WHERE attributes->>'DnsDomainName' = %s",
    "DELETE FROM directory_group WHERE attributes->>'DnsDomainName' = %s",
    "DELETE FROM directory_contact WHERE attributes->>'DnsDomainName' = %s",
)


@dataclass
class Installation:
    """The running processes, a signed-in client, the database and the mail server it was told to use."""

    stack: Stack
    client: PortalClient
    database: Database
    mailbox: Mailbox


@dataclass(frozen=True)
class FirstCycle:
    """A first cycle and what was to be seen right after it."""

    cycle: Document
    active_directory: worlds.World
    cloud: worlds.World

    @property
    def expected_log_rows(self) -> int:
        """One row for each creation, each manager set and each group that got members."""
        everybody = self.active_directory.values()
        return sum(1 + bool(one.get("manager")) + bool(one.get("members")) for one in everybody)


@dataclass
class Site:
    """One domain and its configuration."""

    installation: Installation
    forest: SambaForest
    company: Company
    directory: Path
    agents: list[Agent] = field(default_factory=list)
    job_id: int = 0
    configuration_id: str = ""

    @property
    def client(self) -> PortalClient:
        """The administrator's REST client."""
        return self.installation.client

    @property
    def database(self) -> Database:
        """The installation's database."""
        return self.installation.database

    @property
    def address(self) -> str:
        """Who gets this site's mails."""
        return f"ops@{self.forest.dns_name}"

    @property
    def job(self) -> Document:
        """The job as it stands."""
        return self.client.get(f"jobs/{self.job_id}/")

    def add_agent(self, name: str) -> Agent:
        """Enrol an agent, start it, and wait for its first bootstrap."""
        agent = Agent(self.installation.stack, self.forest, self.directory / name, name)
        agent.enrol(self.client)
        agent.process.start()
        self.agents.append(agent)
        self.until(lambda: self.client.get(f"agents/{agent.id}/")["state"] == "active", f"{name} is active")
        return agent

    def configure(self, **fields: object) -> None:
        """Create the configuration; its job is not started."""
        job = configure(
            self.client,
            f"{self.forest.netbios} to the cloud",
            self.forest.dns_name,
            notification_addresses=[self.address],
            **fields,
        )
        self.job_id, self.configuration_id = job["id"], job["configuration"]

    def steer(self, action: str, **body: object) -> Document:
        """Ask the job for something: start, pause, restart, run, allow-deletes, reject-deletes."""
        return self.client.post(f"jobs/{self.job_id}/{action}/", body)

    def cycles(self) -> list[Document]:
        """The last hundred cycles, the newest first."""
        found: list[Document] = self.client.get("cycles/", job=str(self.job_id))["results"]
        return found

    def next_cycle(self, step: str = "done", since: datetime | None = None) -> Document:
        """The first cycle that starts from now on (or since then), once it has ended as it should."""
        moment = since or datetime.now(UTC)
        cycle: Document = self.until(
            lambda: self._ended_since(moment), f"a cycle of {self.forest.dns_name} ended"
        )
        assert cycle["step"] == step, cycle
        return cycle

    def first_cycle(self) -> FirstCycle:
        """Start the job; its first cycle when it is done."""
        since = datetime.now(UTC)
        self.steer("start")
        cycle = self.next_cycle(since=since)
        return FirstCycle(cycle, self.in_active_directory(), self.in_cloud())

    def log(self, **query: str) -> list[Document]:
        """Rows of the provisioning log."""
        return list(self.client.all("log/", configuration=self.configuration_id, page_size="1000", **query))

    def in_active_directory(self) -> worlds.World:
        """Everybody, as AD says."""
        return worlds.in_active_directory(self.forest)

    def in_cloud(self) -> worlds.World:
        """Everybody, as the portal says."""
        return worlds.in_cloud(self.client, self.forest.dns_name)

    def user(self, guid: UUID) -> Document:
        """The user that an AD object has become, soft-deleted or not."""
        [found] = self.client.all("directory/users/", object_guid=str(guid), deleted="any")
        return found

    def mails(self) -> list[EmailMessage]:
        """The mails this site's address got."""
        return [mail for mail in self.installation.mailbox.messages if mail["X-Envelope-To"] == self.address]

    def notifications(self) -> list[tuple[str, str, int]]:
        """Template, state and attempts of every mail that was written for this site."""
        return self.database.rows(
            "SELECT template, state, attempts FROM provisioning_notification WHERE configuration_id = %s ORDER BY id",
            self.configuration_id,
        )  # type: ignore[return-value]  # three columns of these types

    @staticmethod
    def until(ready: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> Document:
        """Wait until something is so."""
        answer: Document = wait_for(ready, what, seconds=seconds, every=0.1)
        return answer

    def remove(self) -> None:
        """The configuration, and what it brought into the directory, as if it had never been."""
        self.client.delete(f"configurations/{self.configuration_id}/")
        for statement in _FORGET:
            self.database.change(statement, self.forest.dns_name)

    def stop(self) -> None:
        """End the agents and the domain controller."""
        for agent in self.agents:
            agent.process.stop()
        self.forest.stop()

    def _ended_since(self, moment: datetime) -> Document | None:
        started = [one for one in self.cycles() if datetime.fromisoformat(one["started_at"]) >= moment]
        return started[-1] if started and started[-1]["step"] in ENDED else None

"""One company joined to the installation: its forest, its agents, its configuration and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import requests

from lab.enrolment import Agent, configure
from lab.population import Company
from lab.portal_client import Document, PortalClient, wait_for
from lab.samba import SambaForest
from lab.smtp import Mailbox
from lab.stack import Stack
from tests import worlds
from tests.database import Database

# Far more than a cycle takes: a test that waits this long has failed.
PATIENCE_S = 120.0
ENDED = ("done", "failed", "held")
_FORGET = (
    "DELETE FROM directory_memberset WHERE group_id IN"
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
        """One row for each creation, its manager included, and for each group that got members."""
        everybody = self.active_directory.values()
        return sum(1 + bool(one.get("members")) for one in everybody)


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

    def replace_agents(self, name: str) -> None:
        """One new agent instead of those there were."""
        for agent in self.agents:
            agent.process.stop()
        self.agents.clear()
        self.add_agent(name)

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

    def cycle_now(self, step: str = "done", by: str = "run") -> Document:
        """A cycle at once instead of at its time, once it has ended as it should."""
        since = datetime.now(UTC)
        self.steer(by)
        return self.next_cycle(step, since)

    def first_cycle(self) -> FirstCycle:
        """Start the job; its first cycle when it is done."""
        cycle = self.cycle_now(by="start")
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

    def wait_for_mails(self, count: int) -> list[EmailMessage]:
        """The mails this site's address got, once there are so many."""
        self.until(lambda: len(self.mails()) >= count, f"{count} mails came to {self.address}")
        return self.mails()

    def last_notification(self) -> tuple[str, str, int]:
        """Template, state and attempts of the mail that was last written for this site."""
        [(template, state, attempts)] = self.database.rows(
            "SELECT template, state, attempts FROM provisioning_notification"
            " WHERE configuration_id = %s ORDER BY id DESC LIMIT 1",
            self.configuration_id,
        )
        return template, state, attempts

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

    def ended_cycles(self) -> list[Document]:
        """The cycles that have ended, in whichever way."""
        return [one for one in self.cycles() if one["step"] in ENDED]

    def answers(self) -> bool:
        """Whether the portal can look into its database."""
        return requests.get(f"{self.installation.stack.console_url}/readyz", timeout=30).ok

    def present(self, guid: UUID) -> bool:
        """Whether the AD object is in the directory."""
        return any(True for _ in self.client.all("directory/users/", object_guid=str(guid)))

    def written_mails(self) -> dict[str, int]:
        """How many mails were written for this site, sent or not, by the code they tell of."""
        return dict(
            self.database.rows(
                "SELECT coalesce(context->>'code', template), count(*) FROM provisioning_notification"
                " WHERE configuration_id = %s GROUP BY 1",
                self.configuration_id,
            )
        )

    def _ended_since(self, moment: datetime) -> Document | None:
        started = [one for one in self.cycles() if datetime.fromisoformat(one["started_at"]) >= moment]
        return started[-1] if started and started[-1]["step"] in ENDED else None

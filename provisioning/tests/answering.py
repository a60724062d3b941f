"""An agent without an Active Directory: takes requests from the real bus and answers with given objects."""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.utils import timezone

from agents.bus import leases, pages
from agents.models import Agent, AgentState, Domain, ResourceGrouping
from provisioning.models import Configuration, Cycle, CycleKind, Job, Target
from provisioning.services import configurations, exporting, jobs, planning, reconciling, settling, starting
from provisioning.services import ingest as ingesting
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import Phase
from provisioning_agent.wire.pages import AD_SCHEMA, RESOURCE_SCHEMAS, Page, encode_page

Resource = dict[str, Any]


def user(name: str, guid: UUID | None = None, **attributes: Any) -> Resource:
    """A user as an agent reports it."""
    return _resource("user", name, guid, {"userPrincipalName": f"{name}@corp.example", **attributes})


def group(name: str, members: list[UUID], guid: UUID | None = None) -> Resource:
    """A group with all of its members."""
    resource = _resource("group", name, guid, {"groupType": -2147483646})
    resource["members"] = {"whole": True, "added": [str(one) for one in members], "removed": []}
    return resource


def container(dn: str, guid: UUID | None = None) -> Resource:
    """An organisational unit, for a scope to be chosen from."""
    resource = _resource("container", "", guid, {})
    return {**resource, AD_SCHEMA: {"distinguishedName": dn}}


def membership_change(resource: Resource, added: list[UUID] = (), removed: list[UUID] = ()) -> Resource:  # type: ignore[assignment]
    """The same group with members come and gone, as a delta tells it."""
    members = {"whole": False, "added": [str(one) for one in added], "removed": [str(one) for one in removed]}
    return {**resource, "members": members}


def tombstone(resource: Resource, reason: str = "deleted") -> Resource:
    """The object is gone."""
    meta = {"resourceType": resource["meta"]["resourceType"], "tombstone": reason}
    return {"schemas": RESOURCE_SCHEMAS, "id": resource["id"], "meta": meta}


def guid_of(resource: Resource) -> UUID:
    """The resource's objectGUID."""
    return UUID(resource["id"])


def changed(resource: Resource, **attributes: Any) -> Resource:
    """The same object with other attributes; None takes one away."""
    held = {**resource[AD_SCHEMA], **attributes}
    return {**resource, AD_SCHEMA: {name: value for name, value in held.items() if value is not None}}


def _resource(kind: str, name: str, guid: UUID | None, attributes: dict[str, Any]) -> Resource:
    identity = guid or uuid4()
    held = {
        "cn": name,
        "displayName": name,
        "sAMAccountName": name,
        "distinguishedName": f"CN={name},OU=Staff,DC=corp,DC=example",
        "objectGUID": base64.b64encode(identity.bytes_le).decode(),
        "accountDisabled": False,
        **attributes,
    }
    return {
        "schemas": RESOURCE_SCHEMAS,
        "id": str(identity),
        "meta": {"resourceType": kind},
        AD_SCHEMA: {name: value for name, value in held.items() if value is not None},
    }


# Three users, and their objectGUIDs in order.
PEOPLE = [user(name, UUID(int=number)) for number, name in enumerate(("ada", "bob", "eve"), start=1)]
GUIDS = [guid_of(one) for one in PEOPLE]


@dataclass
class Bench:
    """A configuration and the agent that answers for it."""

    agent: Agent
    configuration: Configuration
    served: int = field(default=0)

    @classmethod
    def set_up(cls, **switches: Any) -> Bench:
        """Domain, active agent, built-in target, and a configuration whose job is started.

        With ``parks_duplicates=False`` an object whose name another one holds fails.
        """
        domain = Domain.objects.create(
            fqdn="corp.example", netbios="CORP", forest="corp.example", sid="S-1-5-21-1-2-3"
        )
        agent = Agent.objects.create(
            name="host1",
            state=AgentState.ACTIVE,
            certificate="",
            certificate_thumbprint=uuid4().hex,
            certificate_not_after=timezone.now() + timedelta(days=90),
        )
        ResourceGrouping.objects.create(agent=agent, domain=domain)
        target, _ = Target.objects.get_or_create(name="Cloud directory")
        parks = switches.pop("parks_duplicates", True)
        target.settings = {} if parks else {"duplicateAttributeResiliency": False}
        target.save()
        configuration = configurations.create(name="Corp", domain=domain, target=target, **switches)
        bench = cls(agent, configuration)
        jobs.start(bench.job, timezone.now())
        return bench

    @property
    def job(self) -> Job:
        """The job as it stands now."""
        return Job.objects.get(configuration=self.configuration)

    def cycle(self, *batches: list[Resource], mode: str | None = None, notes: Sequence[str] = ()) -> Cycle:
        """One cycle, its answer in as many pages as there are lists; run to its end."""
        cycle = self.begin()
        self.answer(*(batches or ([],)), mode=mode or str(cycle.kind), notes=notes)
        run_to_end([Hint(Step.INGEST, cycle.pk)])
        return Cycle.objects.get(pk=cycle.pk)

    def begin(self) -> Cycle:
        """Start the next cycle that asks an agent; one that evaluates what is stored goes before it."""
        while (cycle := self.start()).kind == CycleKind.EVALUATION:
            run_to_end([Hint(Step.PLAN, cycle.pk)])
        return cycle

    def evaluate(self) -> Cycle:
        """The next cycle, which has to be one that asks nobody; run to its end."""
        cycle = self.start()
        assert cycle.kind == CycleKind.EVALUATION
        run_to_end([Hint(Step.PLAN, cycle.pk)])
        return Cycle.objects.get(pk=cycle.pk)

    def start(self) -> Cycle:
        """Start the next cycle now."""
        now = timezone.now()
        jobs.run_now(self.job, now)
        [cycle] = starting.start_due(now)
        return cycle

    def answer(
        self, *batches: list[Resource], mode: str, complete: bool = True, notes: Sequence[str] = ()
    ) -> None:
        """Lease the waiting request and post its pages; an incomplete answer lacks its last page."""
        lease = leases.claim(self.agent.pk, timezone.now())
        assert lease is not None
        self.served += 1
        for number, resources in enumerate(batches, start=1):
            is_last = complete and number == len(batches)
            page = Page(
                resources=resources,
                mode=mode,
                next_cursor=None if is_last else str(number + 1),
                complete=is_last,
                notes=notes,
                watermark=f"watermark-{self.served}" if is_last else None,
            )
            pages.store_page(
                lease.request_id, self.agent.pk, lease.attempt, number, encode_page(page), timezone.now()
            )


def run_to_end(hints: list[Hint]) -> None:
    """Do what the workers do, in this process."""
    waiting = deque(hints)
    while waiting:
        waiting.extend(run_one(waiting.popleft()))


def run_one(hint: Hint) -> list[Hint]:
    """Do what one hint asks for; the hints that follow from it."""
    match hint.step:
        case Step.INGEST:
            return ingesting.ingest(hint.cycle)
        case Step.RECONCILE:
            return reconciling.go_on(hint.cycle)
        case Step.PLAN:
            return planning.plan(hint.cycle)
        case Step.EXPORT:
            return exporting.export(hint.cycle, Phase(hint.phase), hint.batch)
        case Step.SETTLE:
            settling.settle(hint.cycle)
            return []

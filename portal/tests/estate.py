"""A whole estate for pictures and browser tests: several domains, agents in every state, a held job, errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from agents.models import Agent, AgentState, Domain
from directory.models import User as DirectoryUser
from portal.tests import factories
from provisioning.models import Cycle, CycleKind, CycleStep, Job, JobState, LogAction, LogStatus

PEOPLE = 60


@dataclass(frozen=True, slots=True)
class Estate:
    """What tests need to find again."""

    domain: Domain
    agentless: Domain
    agent: Agent
    job: Job
    held_job: Job
    held_cycle: Cycle
    users: list[DirectoryUser]


def build() -> Estate:
    """Fill the database."""
    main, branch = factories.domain("corp.contoso.example"), factories.domain("branch.contoso.example")
    lost = factories.domain(
        "lab.fabrikam.example", agentless_since=timezone.now() - timedelta(hours=2, minutes=14)
    )
    agent = _agents(main, branch, lost)
    job, held_job, held_cycle = _jobs(main, branch, lost)
    return Estate(main, lost, agent, job, held_job, held_cycle, _directory(job))


def _agents(main: Domain, branch: Domain, lost: Domain) -> Agent:
    first = factories.agent("isth-agent-01", main, branch, silent_for=135)
    factories.agent("isth-agent-02", main, silent_for=420)
    late = factories.agent("branch-srv", branch, state=AgentState.LATE, silent_for=760)
    gone = factories.agent("lab-dc-agent", lost, state=AgentState.INACTIVE, silent_for=11_400)
    old = factories.agent("old-host", main, state=AgentState.REVOKED, silent_for=260_000)
    Agent.objects.filter(pk=old.pk).update(
        revoked_at=timezone.now() - timedelta(hours=20), next_bootstrap_at=None
    )
    factories.flip(first, AgentState.ACTIVE, AgentState.LATE, hours_ago=9.2)
    factories.flip(first, AgentState.LATE, AgentState.ACTIVE, hours_ago=8.9, reason="Bootstrapped.")
    factories.flip(late, AgentState.ACTIVE, AgentState.INACTIVE, hours_ago=15)
    factories.flip(late, AgentState.INACTIVE, AgentState.ACTIVE, hours_ago=12.5, reason="Bootstrapped.")
    factories.flip(late, AgentState.ACTIVE, AgentState.LATE, hours_ago=0.03)
    factories.flip(gone, AgentState.ACTIVE, AgentState.LATE, hours_ago=3)
    factories.flip(
        gone, AgentState.LATE, AgentState.INACTIVE, hours_ago=2.2, reason="No bootstrap for an hour."
    )
    factories.flip(
        old, AgentState.ACTIVE, AgentState.REVOKED, hours_ago=20, reason="An administrator revoked the agent."
    )
    return first


def _jobs(main: Domain, branch: Domain, lost: Domain) -> tuple[Job, Job, Cycle]:
    job = factories.configuration("Contoso head office", main)
    branch_job = factories.configuration("Contoso branches", branch, delete_threshold=20)
    lost_job = factories.configuration("Fabrikam lab", lost, state=JobState.QUARANTINED)
    _quarantine(lost_job)
    factories.configuration("Contoso pilot", main, state=JobState.DISABLED)
    _history(job)
    running = factories.cycle(
        job, CycleStep.EXPORTING, minutes_ago=0.1, count_imported=38, count_planned=12, count_exported=7
    )
    Job.objects.filter(pk=job.pk).update(current_cycle=running)
    factories.cycle(branch_job, minutes_ago=15, count_imported=4, count_planned=4, count_exported=4)
    return job, branch_job, factories.held(branch_job, 37)


def _quarantine(job: Job) -> None:
    for number in range(4):
        factories.cycle(
            job,
            CycleStep.FAILED,
            minutes_ago=10 + 20 * number,
            error_code="HybridIdentityServiceNoActiveAgents",
            error_detail="The domain has agents, but none of them is active.",
        )
    Job.objects.filter(pk=job.pk).update(
        failures_in_a_row=4,
        last_success_at=timezone.now() - timedelta(hours=2, minutes=20),
        next_run_at=timezone.now() + timedelta(minutes=22),
        state_reason="HybridIdentityServiceNoActiveAgents",
        state_detail="The domain has agents, but none of them is active. Start one, or check its way to the portal.",
    )


def _history(job: Job) -> None:
    factories.cycle(
        job,
        minutes_ago=1430,
        seconds=41,
        kind=CycleKind.INITIAL,
        count_imported=812,
        count_planned=812,
        count_exported=812,
    )
    for hour in range(23):
        count = (7 * hour * hour + 11) % 90
        failed = 2 if hour in (3, 9) else 0
        factories.cycle(
            job,
            minutes_ago=60 * hour + 3,
            count_imported=count + 3,
            count_planned=count,
            count_exported=count,
            count_failed=failed,
        )
    last = Cycle.objects.filter(job=job).order_by("-started_at")[0]
    changes = [{"displayName": "Title", "oldValue": "Analyst", "newValue": "Senior analyst"}]
    for number in range(14):
        who = factories.person(number * 7)
        factories.log_entry(
            last,
            who.upn,
            at=factories.moment(3 + number),
            action=(LogAction.UPDATE, LogAction.CREATE, LogAction.UPDATE, LogAction.DISABLE)[number % 4],
            modified=changes,
        )
    for number, (code, detail) in enumerate(_ERRORS):
        factories.log_entry(
            last,
            factories.person(number + 3).upn,
            at=factories.moment(20 + 41 * number),
            status=LogStatus.FAILURE,
            error_code=code,
            detail=detail,
        )


_ERRORS = (
    ("AttributeValueMustBeUnique", "Another object of the target holds the same value of UserPrincipalName."),
    ("UnableToResolveReferenceAttributeValue", "The manager is not in the target yet."),
    ("SchemaAttributeNotFound", "The target has no attribute CostCentre."),
    ("AttributeValueMustBeUnique", "Another object of the target holds the same value of Mail."),
)


def _directory(job: Job) -> list[DirectoryUser]:
    users = factories.users(range(PEOPLE))
    DirectoryUser.objects.filter(pk__in=[user.pk for user in users[1:6]]).update(manager_id=users[0].pk)
    factories.group("Finance", *users[:23])
    factories.group("Research & Development", *users[20:55])
    factories.group("Everybody", *users)
    factories.user(PEOPLE + 1, deleted_at=timezone.now() - timedelta(days=3))
    factories.contact("Renée Dubois (Fabrikam)")
    user = DirectoryUser.objects.get(pk=users[0].pk)
    source = factories.source(
        job.configuration, "CN=Lovelace\\, Ada,OU=Finance,DC=corp,DC=contoso,DC=example"
    )
    factories.link(source, user.pk, user.attributes)
    return users

"""What the dashboard shows, read in a fixed number of queries whatever the number of agents and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from agents.models import Agent, AgentState, Domain
from provisioning.models import (
    Configuration,
    Cycle,
    CycleStep,
    Job,
    JobState,
    LogStatus,
    ProvisioningLogEntry,
)

# More rows than a person reads at a glance belong on the list pages, which search and filter.
ROWS = 50
ERRORS = 8
ERROR_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many agents are in a state."""

    state: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job with the cycle that runs and the one that ran last."""

    job: Job
    running: Cycle | None
    last: Cycle | None


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One failed object of the log with the name of its configuration."""

    entry: ProvisioningLogEntry
    configuration: str


def agent_counts() -> list[StateCount]:
    """Agents by state, every state listed."""
    found = dict(Agent.objects.order_by().values_list("state").annotate(Count("id")))
    return [StateCount(state.value, str(state.label), found.get(state.value, 0)) for state in AgentState]


def troubled_agents() -> list[Agent]:
    """Agents that are late or inactive, the longest silent first."""
    return list(
        Agent.objects.filter(state__in=(AgentState.LATE, AgentState.INACTIVE))
        .order_by(F("last_bootstrap_at").asc(nulls_first=True))
        .defer("certificate", "report")
        .prefetch_related("domains")[:ROWS]
    )


def agentless_domains() -> list[Domain]:
    """Domains that no active agent serves, the longest without one first."""
    return list(Domain.objects.filter(agentless_since__isnull=False).order_by("agentless_since")[:ROWS])


def job_rows(jobs: QuerySet[Job] | None = None) -> list[JobRow]:
    """Jobs with their running and last cycle: held and quarantined first, then by name."""
    chosen = Job.objects.all() if jobs is None else jobs
    listed = list(
        chosen.select_related("configuration__domain", "configuration__target", "current_cycle")
        .defer("configuration__schema", "watermark")
        .annotate(
            trouble=Q(state__in=(JobState.HELD, JobState.QUARANTINED)),
            last_cycle_id=Subquery(_ended_cycles().values("id")[:1]),
        )
        .order_by("-trouble", "configuration__name", "kind")[:ROWS]
    )
    ended = Cycle.objects.in_bulk([job.last_cycle_id for job in listed if job.last_cycle_id])
    return [JobRow(job, job.current_cycle, ended.get(job.last_cycle_id)) for job in listed]


def held_jobs(rows: Sequence[JobRow]) -> list[JobRow]:
    """The jobs that wait for a person."""
    return [row for row in rows if row.job.state == JobState.HELD]


def last_errors(now: datetime) -> list[ErrorRow]:
    """The last objects that failed in the past day."""
    entries = list(
        ProvisioningLogEntry.objects.filter(status=LogStatus.FAILURE, at__gte=now - ERROR_WINDOW)[:ERRORS]
    )
    names = configuration_names({entry.configuration_id for entry in entries})
    return [ErrorRow(entry, names.get(entry.configuration_id, "deleted")) for entry in entries]


def configuration_names(ids: set[UUID]) -> dict[UUID, str]:
    """Names of configurations by id."""
    return dict(Configuration.objects.filter(pk__in=ids).values_list("pk", "name"))


def _ended_cycles() -> QuerySet[Cycle]:
    return Cycle.objects.filter(job=OuterRef("pk"), step__in=(CycleStep.DONE, CycleStep.FAILED)).order_by(
        "-id"
    )

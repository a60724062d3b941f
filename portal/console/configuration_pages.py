"""What the tabs of a configuration show."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from portal.console import overview, removals, schema_tables
from portal.console.scope_form import Form
from provisioning.models import Configuration, Cycle, Job, JobKind, JobState, Link, LinkState
from provisioning.services import scopes

CYCLES = 10


def object_job(configuration: Configuration) -> Job | None:
    """The job that synchronizes objects, from the prefetched jobs."""
    return next((job for job in configuration.jobs.all() if job.kind == JobKind.OBJECTS), None)


def overview_context(request: HttpRequest, configuration: Configuration) -> dict[str, object]:
    """Its jobs, the latest cycles, and what waits for a decision."""
    rows = overview.job_rows(Job.objects.filter(configuration=configuration))
    held = next((row.job for row in rows if row.job.state == JobState.HELD), None)
    held_cycle = removals.held_cycle(held) if held else None
    return {
        "configuration": configuration,
        "now": timezone.now(),
        "job_rows": rows,
        "held_job": held if held_cycle else None,
        "held_counts": removals.counts(held_cycle) if held_cycle else None,
        "cycles": _latest_cycles(configuration),
        "may_steer": request.user.has_perm("provisioning.change_job"),
    }


def scope_context(configuration: Configuration) -> dict[str, object]:
    """Containers and groups of the scope, with their names where we know them."""
    scope = schema_tables.scope(configuration.schema)
    named = scopes.names_of(configuration, [*scope.containers, *scope.groups])
    return {
        "configuration": configuration,
        "scope": scope,
        "containers": [(guid, named.get(guid.lower(), "")) for guid in scope.containers],
        "groups": [(guid, named.get(guid.lower(), "")) for guid in scope.groups],
        "types": Form.of_document(configuration.schema).clauses,
        "linked": Link.objects.filter(configuration=configuration, state=LinkState.ACTIVE)[:10_000].count(),
    }


def mapping_context(configuration: Configuration) -> dict[str, object]:
    """The mapping as tables."""
    return {"configuration": configuration, "tables": schema_tables.mappings(configuration.schema)}


def _latest_cycles(configuration: Configuration) -> list[Cycle]:
    cycles = Cycle.objects.filter(job__configuration=configuration).select_related("job")
    return list(cycles.defer("job__watermark", "new_watermark").order_by("-id")[:CYCLES])

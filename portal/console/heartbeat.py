"""The heartbeat view: every agent, when it was last heard of, and how its last day was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from agents.day_strip import DAY, Segment, day_strips
from agents.models import Agent, AgentState, Domain
from portal.console import moments, overview
from portal.console.paginator import LimitedPaginator

AGENTS_PER_PAGE = 100
# What needs a person comes first.
_ORDER = (AgentState.INACTIVE, AgentState.LATE, AgentState.ACTIVE, AgentState.REVOKED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One state in the strip of a day: where it begins and how wide it is, in percent of 24 hours."""

    state: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class AgentRow:
    """One agent with its strip, and the strip in words."""

    agent: Agent
    domains: list[Domain]
    stretches: list[Stretch]
    in_words: str


def page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The whole page."""
    context = {**site.each_context(request), "title": "Heartbeat", **_context(request, timezone.now())}
    return TemplateResponse(request, "console/heartbeat.html", context)


def live(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The part that refreshes itself."""
    return TemplateResponse(request, "console/parts/heartbeat.html", _context(request, timezone.now()))


def stretches(segments: list[Segment], now: datetime) -> list[Stretch]:
    """The segments of a day as widths; time before the agent was registered is left unknown."""
    day_began = now - DAY
    known_from = segments[0].start if segments else now
    before = (
        [Stretch("unknown", _width(day_began, known_from), "Not registered yet")]
        if known_from > day_began
        else []
    )
    return before + [
        Stretch(
            segment.state.value,
            _width(segment.start, segment.end),
            f"{segment.state.label}: {segment.start:%H:%M}–{segment.end:%H:%M} UTC"
            f" ({moments.span((segment.end - segment.start).total_seconds())})",
        )
        for segment in segments
    ]


def in_words(segments: list[Segment]) -> str:
    """The day as a sentence, for those who do not see the strip."""
    parts = (
        f"{segment.state.label.lower()} from {segment.start:%H:%M} to {segment.end:%H:%M}"
        for segment in segments
    )
    return (
        f"Last 24 hours, UTC: {', '.join(parts)}." if segments else "Nothing is known of the last 24 hours."
    )


def _context(request: HttpRequest, now: datetime) -> dict[str, Any]:
    if not request.user.has_perm("agents.view_agent"):
        raise PermissionDenied
    listed = LimitedPaginator(_agents(), AGENTS_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "now": now,
        "counts": overview.agent_counts(),
        "agentless_domains": overview.agentless_domains(),
        "page": listed,
        "rows": _rows(list(listed.object_list), now),
        "day_began": now - DAY,
    }


def _agents() -> QuerySet[Agent]:
    rank = Case(
        *(When(state=state, then=Value(number)) for number, state in enumerate(_ORDER)),
        default=Value(len(_ORDER)),
        output_field=IntegerField(),
    )
    return (
        Agent.objects.defer("certificate", "report").prefetch_related("domains").order_by(rank, "name", "id")
    )


def _rows(agents: list[Agent], now: datetime) -> list[AgentRow]:
    strips = day_strips(agents, now)
    return [
        AgentRow(
            agent, list(agent.domains.all()), stretches(strips[agent.pk], now), in_words(strips[agent.pk])
        )
        for agent in agents
    ]


def _width(start: datetime, end: datetime) -> str:
    return f"{100 * (end - start) / DAY:.3f}"

"""The last 24 hours of an agent as a strip of states, drawn from the rows of its changes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from agents.models import Agent, AgentState, StateChange

DAY: Final = timedelta(hours=24)


class Segment(NamedTuple):
    """A stretch of time in one state."""

    start: datetime
    end: datetime
    state: AgentState


class Change(NamedTuple):
    """One change of state, as a row says."""

    at: datetime
    before: str
    after: str


def strip(changes: Sequence[Change], state: str, since: datetime, until: datetime) -> list[Segment]:
    """Segments from ``since`` to ``until``; ``changes`` in order of time, ``state`` where none is within."""
    within = [change for change in changes if since < change.at <= until]
    current = within[0].before if within else state
    segments: list[Segment] = []
    start = since
    for change in within:
        _append(segments, Segment(start, change.at, AgentState(current)))
        start, current = change.at, change.after
    _append(segments, Segment(start, until, AgentState(current)))
    return segments


def day_strip(agent: Agent, now: datetime) -> list[Segment]:
    """The strip of one agent."""
    return day_strips([agent], now)[agent.pk]


def day_strips(agents: Iterable[Agent], now: datetime) -> dict[uuid.UUID, list[Segment]]:
    """The strips of many agents by their id, with one query."""
    wanted = list(agents)
    changes = _changes([agent.pk for agent in wanted], now - DAY)
    return {
        agent.pk: strip(changes[agent.pk], agent.state, max(now - DAY, agent.registered_at), now)
        for agent in wanted
    }


def _changes(agent_ids: list[uuid.UUID], since: datetime) -> dict[uuid.UUID, list[Change]]:
    rows = StateChange.objects.filter(agent_id__in=agent_ids, at__gt=since).order_by("at", "id")
    found: dict[uuid.UUID, list[Change]] = defaultdict(list)
    for agent_id, at, before, after in rows.values_list("agent_id", "at", "before", "after"):
        found[agent_id].append(Change(at, before, after))
    return found


def _append(segments: list[Segment], segment: Segment) -> None:
    if segment.end > segment.start:
        segments.append(segment)

"""What one agent is told about updates at its bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agents.models import Agent, AgentRelease, UpdatePolicy
from agents.update_policy import Advice, Policy, advise


@dataclass(frozen=True, slots=True)
class Offer:
    """A version to take now, and its name in the repository."""

    version: str
    target: str


def for_agent(agent: Agent, now: datetime) -> Advice:
    """The advice by the agent's policy. The releases are few: one small table is read."""
    published = AgentRelease.objects.values_list("version", flat=True)
    return advise(policy_of(agent), agent.version, list(published), now)


def offer(advice: Advice) -> Offer | None:
    """What the agent is to install now, None for nothing."""
    if not advice.now or advice.version is None:
        return None
    release = AgentRelease.objects.get(version=advice.version)
    return Offer(release.version, release.target)


def policy_of(agent: Agent) -> Policy:
    """The agent's policy; without one, every release is taken at once."""
    row = UpdatePolicy.objects.filter(agent=agent).first()
    if row is None:
        return Policy()
    window = (row.window_start, row.window_end) if row.window_start and row.window_end else None
    return Policy(row.at_once, row.deferred_until, window, ZoneInfo(row.timezone), row.pinned_version)

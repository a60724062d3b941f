"""Putting an agent out, at once: its assertions and bus tokens are refused and its leases go to other agents."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from agents import liveness
from agents.bus import giving_back
from agents.bus.notices import wake
from agents.identity import Identity
from agents.models import Agent, AgentState, StateChange


def revoke(agent: Agent, now: datetime, reason: str = "An administrator revoked the agent.") -> bool:
    """Revoke the agent; false when it was revoked before."""
    with transaction.atomic():
        row = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        if row.revoked_at is not None:
            return False
        _mark(row, now, reason)
        giving_back.take_from(row, now)
        liveness.note_loss(liveness.domains_of(row), now)
        # Its waiting poll is told now rather than when the poll ends.
        wake(row.pk)
    return True


def deregister(identity: Identity, now: datetime) -> None:
    """Put out the agent that asks for it itself."""
    revoke(Agent.objects.get(pk=identity.agent_id), now, "The agent was uninstalled and took itself off.")


def _mark(agent: Agent, now: datetime, reason: str) -> None:
    StateChange.objects.create(
        agent=agent, at=now, before=agent.state, after=AgentState.REVOKED, reason=reason[:255]
    )
    agent.revoked_at, agent.state, agent.state_due_at = now, AgentState.REVOKED, None
    agent.next_bootstrap_at = None
    agent.save(update_fields=["revoked_at", "state", "state_due_at", "next_bootstrap_at"])

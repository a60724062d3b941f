"""The heartbeat: an agent's state is a function of its last bootstrap, and each change of it is recorded once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.db import transaction

from agents import liveness
from agents.models import Agent, AgentState, StateChange
from provisioning_agent.wire.limits import BOOTSTRAP_INTERVAL_S

INTERVAL: Final = timedelta(seconds=BOOTSTRAP_INTERVAL_S)
GRACE: Final = timedelta(minutes=1)
INACTIVE_AFTER: Final = timedelta(hours=1)
# An agent whose flip can not be recorded is looked at again after this long, so that others are not held up.
DEFERRED: Final = timedelta(hours=1)

_REASONS: Final = {
    AgentState.LATE: "One bootstrap was missed.",
    AgentState.INACTIVE: "No bootstrap for an hour.",
}


class Standing(NamedTuple):
    """A state and the moment it changes by itself, None when it does not."""

    state: AgentState
    due_at: datetime | None


class Flip(NamedTuple):
    """One change of state at the moment it became true."""

    at: datetime
    before: AgentState
    after: AgentState


def state_at(
    last_bootstrap_at: datetime | None, interval: timedelta, revoked_at: datetime | None, now: datetime
) -> Standing:
    """The state at ``now``: late one interval and a minute after the last bootstrap, inactive after an hour."""
    if revoked_at is not None:
        return Standing(AgentState.REVOKED, None)
    if last_bootstrap_at is None:
        return Standing(AgentState.INACTIVE, None)
    late_at = last_bootstrap_at + interval + GRACE
    inactive_at = max(last_bootstrap_at + INACTIVE_AFTER, late_at)
    if now < late_at:
        return Standing(AgentState.ACTIVE, late_at)
    if now < inactive_at:
        return Standing(AgentState.LATE, inactive_at)
    return Standing(AgentState.INACTIVE, None)


def flips_until(
    state: AgentState, due_at: datetime | None, last_bootstrap_at: datetime | None, now: datetime
) -> Iterator[Flip]:
    """The changes that fell due up to ``now``, each at its own moment, however late we look."""
    while due_at is not None and due_at <= now:
        at = due_at
        after, due_at = state_at(last_bootstrap_at, INTERVAL, None, at)
        if after != state:
            yield Flip(at, state, after)
        state = after


def flip_overdue(now: datetime) -> int:
    """Flip every agent whose state fell due; returns how many flipped.

    An agent that fails is deferred by an hour and its error raised: the next call goes on with the others.
    """
    overdue = Agent.objects.filter(state_due_at__lte=now, revoked_at__isnull=True).order_by("state_due_at")
    flipped = 0
    for agent in overdue:
        try:
            flipped += _flip(agent, now)
        except Exception:
            Agent.objects.filter(pk=agent.pk, state_due_at=agent.state_due_at).update(
                state_due_at=now + DEFERRED
            )
            raise
    return flipped


def _flip(agent: Agent, now: datetime) -> bool:
    standing = state_at(agent.last_bootstrap_at, INTERVAL, None, now)
    # The conditions make this the only one to record the flip: a bootstrap or a revocation moves them.
    unchanged = Agent.objects.filter(
        pk=agent.pk,
        state=agent.state,
        state_due_at=agent.state_due_at,
        last_bootstrap_at=agent.last_bootstrap_at,
        revoked_at__isnull=True,
    )
    with transaction.atomic():
        if not unchanged.update(state=standing.state, state_due_at=standing.due_at):
            return False
        _record(agent, now)
        if standing.state not in liveness.ALIVE:
            liveness.note_loss(liveness.domains_of(agent), now)
    return True


def _record(agent: Agent, now: datetime) -> None:
    due = flips_until(AgentState(agent.state), agent.state_due_at, agent.last_bootstrap_at, now)
    StateChange.objects.bulk_create(
        StateChange(
            agent=agent, at=flip.at, before=flip.before, after=flip.after, reason=_REASONS[flip.after]
        )
        for flip in due
    )

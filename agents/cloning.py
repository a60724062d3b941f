"""Two hosts with one certificate: told from what each bootstrap says of the process and the host it comes from.

An agent makes an id for itself when its process starts, tells a fingerprint of its host, and returns the sequence
token of the last bootstrap answer it has stored. One state directory runs one process (it is locked), so:

* a process that is heard again after another one was heard runs beside it: two copies, beyond doubt;
* a process on another host with a token that is not the newest, while the holder of the newest is still alive,
  started from an older copy of the state.

A restart, a move with the whole state, a lost answer and a restored backup on the same host are none of these.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from agents import events
from agents.facts import Presence
from agents.heartbeat import GRACE, INTERVAL
from agents.models import Agent, HealthSample


class Sign(StrEnum):
    """Why two hosts are believed to use one certificate."""

    RETURNED = "A process was heard again after another one had taken its place."
    OLD_STATE = "Another host came with an older copy of the state while the first was running."


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the process heard last: its tokens are the newest and the one before."""

    instance_id: UUID
    host: str
    tokens: frozenset[str]
    is_alive: bool


def sign_of_a_clone(known: Known | None, presence: Presence, *, heard_before: bool) -> Sign | None:
    """What gives a clone away, None if nothing does. ``heard_before``: this process was, at any time.

    A token that was never given, as after enrolment, tells nothing.
    """
    if known is None or presence.instance_id == known.instance_id:
        return None
    if heard_before:
        return Sign.RETURNED
    is_elsewhere = presence.host != known.host
    is_old = bool(presence.sequence) and presence.sequence not in known.tokens
    return Sign.OLD_STATE if is_elsewhere and is_old and known.is_alive else None


def note(
    agent: Agent, presence: Presence, address: str | None, now: datetime, heard_at: datetime | None
) -> str:
    """Compare with who was heard last (at ``heard_at``), flag a clone once, and return the next sequence token.

    Changes ``agent`` without saving it; inside the caller's transaction, which holds the agent's row.
    """
    sign = sign_of_a_clone(_known(agent, now, heard_at), presence, heard_before=_was_heard(agent, presence))
    if sign is not None:
        _flag(agent, sign, address, now)
    agent.instance_id, agent.host_fingerprint = presence.instance_id, presence.host
    agent.previous_sequence, agent.sequence = agent.sequence, secrets.token_urlsafe(24)
    return agent.sequence


def clear(agent: Agent) -> bool:
    """Take the flag back: a person has ended one of the two. A clone that goes on is flagged again.

    Whoever is heard next counts as the one that stayed, even if the other was heard last.
    """
    flagged = Agent.objects.filter(pk=agent.pk, cloned_since__isnull=False)
    return bool(flagged.update(cloned_since=None, clone_evidence="", instance_id=None))


def _known(agent: Agent, now: datetime, heard_at: datetime | None) -> Known | None:
    if agent.instance_id is None:
        return None
    alive = heard_at is not None and now - heard_at <= INTERVAL + GRACE
    tokens = frozenset(filter(None, (agent.sequence, agent.previous_sequence)))
    return Known(agent.instance_id, agent.host_fingerprint, tokens, alive)


def _was_heard(agent: Agent, presence: Presence) -> bool:
    if agent.instance_id is None or agent.instance_id == presence.instance_id:
        return False
    return HealthSample.objects.filter(agent=agent, instance_id=presence.instance_id).exists()


def _flag(agent: Agent, sign: Sign, address: str | None, now: datetime) -> None:
    other = HealthSample.objects.filter(agent=agent, instance_id=agent.instance_id).first()
    places = f"{address or 'an unknown address'} and {(other and other.address) or 'an unknown address'}"
    agent.clone_evidence = f"{sign} Seen from {places}."
    if agent.cloned_since is None:
        agent.cloned_since = now
        events.agent_cloned(agent, now)

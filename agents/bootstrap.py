"""Bootstrap: the agent's sign of life, answered with where the bus is and a token for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from agents import bus_tokens, cloning, health, liveness
from agents.facts import HostFacts, Presence
from agents.heartbeat import INTERVAL, state_at
from agents.identity import Identity
from agents.models import Agent, AgentState, Domain, StateChange
from agents.update_policy import Advice
from agents.updates import advice
from agents.updates.advice import Offer
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import RENEWAL_DAYS

BUS_PATH = "/hybrid/v1/bus"


@dataclass(frozen=True, slots=True)
class Welcome:
    """The answer to a bootstrap."""

    bus_urls: tuple[str, ...]
    bus_token: str
    bus_token_expires_at: datetime
    renew_certificate: bool
    domains: tuple[str, ...]
    sequence: str
    listen: bool
    update: Offer | None
    update_advice: Advice


def bootstrap(
    identity: Identity,
    facts: HostFacts,
    report: dict[str, Any],
    now: datetime,
    presence: Presence | None = None,
) -> Welcome:
    """Record the sign of life and answer it; the agent is active from here on.

    A call without ``presence`` is one of the agent's doctor or of an agent that is too old to tell.
    """
    with transaction.atomic():
        agent = Agent.objects.select_for_update(no_key=True).get(pk=identity.agent_id)
        if agent.revoked_at is not None:
            raise WireError("AgentRevoked")
        heard_at = agent.last_bootstrap_at
        _enliven(agent, now)
        # Before the sample of this call is there: the question is who was heard earlier.
        sequence = cloning.note(agent, presence, facts.address, now, heard_at) if presence else ""
        if presence or agent.instance_id is None:
            health.record(agent, facts, presence, report, now)
        _note_facts(agent, facts, report)
        if identity.thumbprint == agent.certificate_thumbprint:
            agent.previous_certificate, agent.previous_thumbprint = "", None
        agent.save()
        liveness.note_recovery(liveness.domains_of(agent), now)
    return _welcome(agent, identity, sequence, now)


def _enliven(agent: Agent, now: datetime) -> None:
    before = agent.state
    agent.last_bootstrap_at, agent.next_bootstrap_at = now, now + INTERVAL
    agent.state, agent.state_due_at = state_at(now, INTERVAL, None, now)
    if before != AgentState.ACTIVE:
        StateChange.objects.create(
            agent=agent, at=now, before=before, after=agent.state, reason="The agent bootstrapped."
        )


def _note_facts(agent: Agent, facts: HostFacts, report: dict[str, Any]) -> None:
    agent.name, agent.version, agent.operating_system = facts.name, facts.version, facts.operating_system
    agent.external_ip = facts.address
    agent.report = report


def _welcome(agent: Agent, identity: Identity, sequence: str, now: datetime) -> Welcome:
    token, expires_at = bus_tokens.make(agent.pk, identity.thumbprint, now)
    domains = Domain.objects.filter(groupings__agent=agent).values_list("fqdn", flat=True)
    update_advice = advice.for_agent(agent, now)
    return Welcome(
        bus_urls=(f"{settings.AGENT_URL}{BUS_PATH}",),
        bus_token=token,
        bus_token_expires_at=expires_at,
        renew_certificate=identity.certificate_not_after - now <= timedelta(days=RENEWAL_DAYS),
        domains=tuple(domains),
        sequence=sequence,
        listen=settings.CHANGE_NOTIFICATION,
        update=advice.offer(update_advice),
        update_advice=update_advice,
    )

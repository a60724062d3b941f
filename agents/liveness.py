"""Whether a domain has an agent that may answer. A late agent may: it is late with a call, not known to be gone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from agents import events
from agents.models import Agent, AgentState, Domain, ResourceGrouping

ALIVE: Final = (AgentState.ACTIVE, AgentState.LATE)


def note_loss(domain_ids: Iterable[uuid.UUID], now: datetime) -> None:
    """Mark those of the domains that are left without a live agent, once; inside the caller's transaction."""
    for domain in _locked(domain_ids).filter(agentless_since__isnull=True):
        if not _has_live_agent(domain):
            domain.agentless_since = now
            domain.save(update_fields=["agentless_since"])
            events.domain_agentless(domain, now)


def note_recovery(domain_ids: Iterable[uuid.UUID], now: datetime) -> None:
    """Unmark those of the domains that have a live agent again, once; inside the caller's transaction."""
    for domain in _locked(domain_ids).filter(agentless_since__isnull=False):
        if _has_live_agent(domain):
            domain.agentless_since = None
            domain.save(update_fields=["agentless_since"])
            events.domain_recovered(domain, now)


def domains_of(agent: Agent) -> list[uuid.UUID]:
    """The ids of the domains the agent serves."""
    return list(ResourceGrouping.objects.filter(agent=agent).values_list("domain_id", flat=True))


def without_live_agent() -> QuerySet[Domain]:
    """The domains that agents serve but none of them is active or late."""
    served = ResourceGrouping.objects.filter(domain=OuterRef("pk"))
    return Domain.objects.filter(Exists(served)).exclude(Exists(served.filter(agent__state__in=ALIVE)))


def _locked(domain_ids: Iterable[uuid.UUID]) -> QuerySet[Domain]:
    # Two agents of one domain may go at the same moment: the second to hold the lock sees that both are gone.
    return Domain.objects.select_for_update(no_key=True).filter(pk__in=list(domain_ids)).order_by("pk")


def _has_live_agent(domain: Domain) -> bool:
    return ResourceGrouping.objects.filter(domain=domain, agent__state__in=ALIVE).exists()

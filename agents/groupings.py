"""Resource groupings: which domains an agent serves, as the agent itself tells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from agents import liveness
from agents.errors import refusal
from agents.facts import DomainFacts
from agents.identity import Identity
from agents.models import Agent, Domain, ResourceGrouping


def assign(identity: Identity, wanted: Sequence[DomainFacts], now: datetime) -> list[Domain]:
    """Make the agent serve exactly these domains, in their order; unknown domains are created.

    Raises ``DomainConflict`` where a name is known with another SID.
    """
    with transaction.atomic():
        agent = Agent.objects.select_for_update(no_key=True).get(pk=identity.agent_id)
        domains = _domains(wanted)
        kept = [domain.pk for domain in domains]
        left = list(agent.groupings.exclude(domain_id__in=kept).values_list("domain_id", flat=True))
        agent.groupings.filter(domain_id__in=left).delete()
        ResourceGrouping.objects.bulk_create(
            (ResourceGrouping(agent=agent, domain=domain) for domain in domains), ignore_conflicts=True
        )
        liveness.note_loss(left, now)
        liveness.note_recovery(kept, now)
    return domains


def _domains(wanted: Sequence[DomainFacts]) -> list[Domain]:
    # Two agents may name a new domain at the same moment: whoever comes second finds the row of the first.
    Domain.objects.bulk_create((_row(facts) for facts in wanted), ignore_conflicts=True)
    known = {domain.fqdn: domain for domain in Domain.objects.filter(fqdn__in=[f.fqdn for f in wanted])}
    for facts in wanted:
        if known[facts.fqdn].sid != facts.sid:
            raise refusal("DomainConflict")
    return [known[facts.fqdn] for facts in wanted]


def _row(facts: DomainFacts) -> Domain:
    return Domain(fqdn=facts.fqdn, netbios=facts.netbios, forest=facts.forest, sid=facts.sid)

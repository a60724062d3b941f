"""What an agent hears of its domain controller: something has changed."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.db import transaction

from agents import events
from agents.models import Domain
from provisioning_agent.wire.errors import WireError


def note(agent_id: uuid.UUID, fqdn: str, now: datetime) -> None:
    """Tell the listeners that a domain of this agent has changed; raises ``DomainUnknown``.

    Where change notification is off nobody is told: an agent learns of that only with its next bootstrap.
    """
    domain = Domain.objects.filter(fqdn=fqdn, groupings__agent_id=agent_id).first()
    if domain is None:
        raise WireError("DomainUnknown")
    if settings.CHANGE_NOTIFICATION:
        with transaction.atomic():
            events.domain_changed(domain, now)

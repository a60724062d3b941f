"""Putting requests on the bus, and taking them off it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from agents.bus.notices import wake
from agents.liveness import ALIVE
from agents.models import AgentState, BusRequest, Domain, RequestState, ResourceGrouping

OPEN_STATES = (RequestState.QUEUED, RequestState.LEASED)
_CLOSE: Final = """
UPDATE agents_busrequest
   SET body = '{}',
       state = CASE WHEN state = ANY(%(open)s) THEN 'failed' ELSE state END,
       error_code = CASE WHEN state = ANY(%(open)s) THEN 'RequestDropped' ELSE error_code END,
       ended_at = CASE WHEN state = ANY(%(open)s) THEN %(now)s ELSE ended_at END
 WHERE id = %(request)s
"""
# Ended requests are kept this long so that an agent that comes late is told what became of its request.
KEPT_FOR = timedelta(days=1)


def availability(domain: Domain) -> str | None:
    """None when an agent may answer for the domain now, else the error code that says why none can."""
    states = set(
        ResourceGrouping.objects.filter(domain=domain)
        .exclude(agent__state=AgentState.REVOKED)
        .values_list("agent__state", flat=True)
    )
    if not states:
        return "HybridIdentityServiceNoAgentsAssigned"
    return None if states & set(ALIVE) else "HybridIdentityServiceNoActiveAgents"


def enqueue(
    domain: Domain, kind: str, body: dict[str, Any], correlation_id: uuid.UUID, now: datetime
) -> BusRequest:
    """Queue a request and wake a waiting agent, both when the caller's transaction commits."""
    request = BusRequest.objects.create(
        domain=domain,
        kind=kind,
        body=body,
        correlation_id=correlation_id,
        created_at=now,
        expires_at=now + timedelta(seconds=settings.BUS_REQUEST_TIMEOUT_S),
    )
    wake(domain.pk)
    return request


def discard(request_id: uuid.UUID) -> None:
    """Drop pages and body of a request; one that is still open is closed, and its agent told so."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        # The request first: an agent that is storing a page holds it, and the page must be there to be deleted.
        cursor.execute(_CLOSE, {"request": request_id, "open": list(OPEN_STATES), "now": timezone.now()})
        cursor.execute("DELETE FROM agents_buspage WHERE request_id = %s", [request_id])


def forget_ended(now: datetime) -> int:
    """Delete requests that ended a day ago, pages included; returns how many."""
    ended = BusRequest.objects.filter(ended_at__lt=now - KEPT_FOR)
    return ended.delete()[0]

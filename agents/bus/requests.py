"""Putting requests on the bus, and taking them off it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from agents.bus.notices import wake
from agents.liveness import ALIVE
from agents.models import AgentState, BusPage, BusRequest, Domain, RequestState, ResourceGrouping

OPEN_STATES = (RequestState.QUEUED, RequestState.LEASED)
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
    is_open = Q(state__in=OPEN_STATES)
    with transaction.atomic(savepoint=False):
        BusRequest.objects.filter(pk=request_id).update(
            body={},
            state=Case(When(is_open, then=Value(RequestState.FAILED)), default=F("state")),
            error_code=Case(When(is_open, then=Value("RequestDropped")), default=F("error_code")),
            ended_at=Case(When(is_open, then=Value(timezone.now())), default=F("ended_at")),
        )
        BusPage.objects.filter(request_id=request_id).delete()


def forget_ended(now: datetime) -> int:
    """Delete requests that ended a day ago, pages included; returns how many."""
    ended = BusRequest.objects.filter(ended_at__lt=now - KEPT_FOR)
    return ended.delete()[0]

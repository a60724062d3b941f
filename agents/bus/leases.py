"""Leases: exactly one agent holds a request at a time, for as long as it shows that it works on it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection, transaction

from agents.models import BusRequest, RequestState, ResourceGrouping
from provisioning_agent.wire.errors import WireError

_CLAIM: Final = """
UPDATE agents_busrequest
   SET state = 'leased', attempt = attempt + 1, pages_in = 0,
       leased_by_id = %(agent)s, lease_expires_at = %(until)s
 WHERE id = (
       SELECT id FROM agents_busrequest
        WHERE state = 'queued'
          AND domain_id IN (SELECT domain_id FROM agents_resourcegrouping WHERE agent_id = %(agent)s)
          AND expires_at > %(now)s
          AND (refused_by_id IS DISTINCT FROM %(agent)s OR refused_until <= %(now)s)
          AND EXISTS (SELECT 1 FROM agents_agent WHERE id = %(agent)s AND revoked_at IS NULL)
        ORDER BY created_at
        LIMIT 1
          FOR UPDATE SKIP LOCKED)
RETURNING id, attempt, body
"""


_STANDING: Final = "SELECT leased_by_id, attempt, state, pages_in FROM agents_busrequest WHERE id = %s"


class Standing(NamedTuple):
    """Who holds a request, and how far the answer has come."""

    leased_by_id: uuid.UUID | None
    attempt: int
    state: str
    pages_in: int


class Lease(NamedTuple):
    """A leased request; ``body`` is the JSON text of what is asked, ``seconds`` how long the lease lasts."""

    request_id: uuid.UUID
    attempt: int
    body: str
    seconds: int


def claim(agent_id: uuid.UUID, now: datetime) -> Lease | None:
    """Lease the oldest request that waits in a domain of this agent; of racing agents one gets it."""
    values: dict[str, uuid.UUID | datetime] = {"agent": agent_id, "now": now, "until": until(now)}
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        row = cursor.fetchone()
    return Lease(row[0], row[1], row[2], settings.BUS_LEASE_S) if row else None


def domains(agent_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The domains for whose requests this agent waits."""
    return frozenset(ResourceGrouping.objects.filter(agent_id=agent_id).values_list("domain_id", flat=True))


def renew(request_id: uuid.UUID, agent_id: uuid.UUID, attempt: int, now: datetime) -> int:
    """Extend the lease; returns its seconds."""
    with transaction.atomic():
        request = locked(request_id)
        check_held(request, agent_id, attempt)
        request.lease_expires_at = until(now)
        request.save(update_fields=["lease_expires_at"])
    return settings.BUS_LEASE_S


def standing(request_id: uuid.UUID) -> Standing:
    """How the request stands at this moment; raises ``RequestUnknown``."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [request_id])
        row = cursor.fetchone()
    if row is None:
        raise WireError("RequestUnknown")
    return Standing(*row)


def locked(request_id: uuid.UUID) -> BusRequest:
    """The request without its body, locked until the caller's transaction ends; raises ``RequestUnknown``."""
    request = BusRequest.objects.select_for_update(no_key=True).defer("body").filter(pk=request_id).first()
    if request is None:
        raise WireError("RequestUnknown")
    return request


def check_held(request: BusRequest | Standing, agent_id: uuid.UUID, attempt: int) -> None:
    """Raise ``RequestNotYours`` or ``RequestClosed`` unless this agent holds this attempt of the request."""
    if request.leased_by_id != agent_id or request.attempt != attempt:
        raise WireError("RequestNotYours")
    if request.state != RequestState.LEASED:
        raise WireError("RequestClosed")


def until(now: datetime) -> datetime:
    """When a lease ends that is taken or renewed now."""
    return now + timedelta(seconds=settings.BUS_LEASE_S)

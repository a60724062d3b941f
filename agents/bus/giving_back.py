"""Leases that come to nothing: handed back, refused, expired or taken; the request goes on or fails."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from agents.bus import handlers, leases
from agents.bus.notices import wake
from agents.bus.requests import OPEN_STATES
from agents.models import Agent, BusPage, BusRequest, RequestState
from provisioning_agent.wire.errors import WireError

MAX_TRIES: Final = 3
# An agent that gave up is offered the same request again after this long, times the tries so far.
REFUSED_FOR: Final = timedelta(seconds=5)
_BATCH: Final = 500
_MAX_DETAIL: Final = 2000


def hand_back(request_id: uuid.UUID, agent_id: uuid.UUID, attempt: int, now: datetime) -> None:
    """The agent stops in good order: the request waits for another, at no cost."""
    with transaction.atomic():
        request = leases.locked(request_id)
        leases.check_held(request, agent_id, attempt)
        _requeue(request)


def refuse(request_id: uuid.UUID, agent_id: uuid.UUID, attempt: int, error: WireError, now: datetime) -> None:
    """The agent could not answer: ``error.retry`` passes the request on while tries are left, else it fails."""
    with transaction.atomic():
        request = leases.locked(request_id)
        leases.check_held(request, agent_id, attempt)
        request.tries += 1
        if not error.retry or request.tries >= MAX_TRIES:
            _fail(request, error.code, error.detail, now)
            return
        request.refused_by_id, request.refused_until = agent_id, now + REFUSED_FOR * request.tries
        _requeue(request)


def take_from(agent: Agent, now: datetime) -> None:
    """The agent was put out: its requests wait for others, at no cost; inside the caller's transaction."""
    held = BusRequest.objects.select_for_update(no_key=True).defer("body")
    for request in held.filter(leased_by=agent, state=RequestState.LEASED):
        _requeue(request)


def expire_leases(now: datetime) -> int:
    """Settle what ran out: requests out of time fail, lost leases go on or fail; returns how many."""
    with transaction.atomic():
        out_of_time = list(_open().filter(expires_at__lte=now)[:_BATCH])
        for request in out_of_time:
            _fail(request, "TimeOut", _late(request), now)
        lost = list(_open().filter(state=RequestState.LEASED, lease_expires_at__lte=now)[:_BATCH])
        for request in lost:
            _lose(request, now)
    return len(out_of_time) + len(lost)


def _open() -> QuerySet[BusRequest]:
    # A row that is locked is being worked on by its agent: it is looked at again next time.
    locked = BusRequest.objects.select_for_update(skip_locked=True, no_key=True).defer("body")
    return locked.filter(state__in=OPEN_STATES)


def _lose(request: BusRequest, now: datetime) -> None:
    request.tries += 1
    if request.tries >= MAX_TRIES:
        detail = f"{MAX_TRIES} times an agent took the request and fell silent; look at the agents' logs."
        _fail(request, "TimeOut", detail, now)
    else:
        _requeue(request)


def _late(request: BusRequest) -> str:
    limit = f"{settings.BUS_REQUEST_TIMEOUT_S} seconds"
    if request.attempt == 0:
        return (
            f"No agent of the domain took the request within {limit}; check that one runs and is connected."
        )
    return f"The answer was not complete within {limit}; look at the agent's log for what held it up."


def _requeue(request: BusRequest) -> None:
    BusPage.objects.filter(request=request).delete()
    request.state, request.leased_by, request.lease_expires_at = RequestState.QUEUED, None, None
    request.pages_in = 0
    request.save(
        update_fields=[
            "state", "leased_by", "lease_expires_at", "pages_in", "tries", "refused_by", "refused_until"
        ]
    )  # fmt: skip
    wake(request.domain_id)


def _fail(request: BusRequest, code: str, detail: str, now: datetime) -> None:
    BusPage.objects.filter(request=request).delete()
    request.state, request.ended_at, request.lease_expires_at = RequestState.FAILED, now, None
    request.error_code, request.error_detail = code, detail[:_MAX_DETAIL]
    request.save(
        update_fields=["state", "ended_at", "lease_expires_at", "error_code", "error_detail", "tries"]
    )
    handlers.announce_failure(request)

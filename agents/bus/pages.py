"""Pages of answers: checked, stored as they came, read by whoever asked."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from agents.bus import handlers, leases
from agents.models import BusPage, BusRequest, RequestState
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.pages import PAGE_SCHEMA, decode_page

# PostgreSQL's integer; no answer comes near it.
MAX_PAGE_NUMBER: Final = 2_147_483_647


def store_page(
    request_id: uuid.UUID, agent_id: uuid.UUID, attempt: int, number: int, body: bytes, now: datetime
) -> None:
    """Store page ``number`` (from 1) and renew the lease; a page that is there already changes nothing.

    Raises :class:`WireError` for a page that is malformed, too large, out of order or not this agent's to send.
    """
    request = BusRequest.objects.defer("body").filter(pk=request_id).first()
    if request is None:
        raise WireError("RequestUnknown")
    # Looked at before the costly part, and again under the lock.
    if _is_stored(request, agent_id, attempt, number):
        return
    is_last = _is_last(decode_page(body))
    with transaction.atomic():
        request = leases.locked(request_id)
        if not _is_stored(request, agent_id, attempt, number):
            _store(request, number, body, is_last, now)


def read_page(request_id: uuid.UUID, attempt: int, number: int) -> bytes | None:
    """The page as the agent sent it, gzip'd JSON; None while it is not there."""
    page = BusPage.objects.filter(request_id=request_id, attempt=attempt, number=number)
    body = page.values_list("body", flat=True).first()
    return None if body is None else bytes(body)


def has_page(request_id: uuid.UUID, attempt: int, number: int) -> bool:
    """Whether the page is there."""
    return BusPage.objects.filter(request_id=request_id, attempt=attempt, number=number).exists()


def _is_stored(request: BusRequest, agent_id: uuid.UUID, attempt: int, number: int) -> bool:
    """Whether the page is in already; raises where this agent may not send it, or not yet."""
    is_own = request.leased_by_id == agent_id and request.attempt == attempt
    if is_own and request.state != RequestState.FAILED and 1 <= number <= request.pages_in:
        return True
    leases.check_held(request, agent_id, attempt)
    if number != request.pages_in + 1:
        raise WireError(
            "PageOutOfOrder",
            f"Page {number} came but page {request.pages_in + 1} is next; answer the request from its start.",
        )
    return False


def _is_last(page: dict[str, Any]) -> bool:
    if page.get("nextCursor") is not None:
        return False
    if not page[PAGE_SCHEMA]["complete"]:
        raise WireError(
            "MalformedPage",
            "The last page does not say that the answer is complete; report a failure for one that broke off.",
        )
    return True


def _store(request: BusRequest, number: int, body: bytes, is_last: bool, now: datetime) -> None:
    BusPage.objects.create(
        request=request, attempt=request.attempt, number=number, is_last=is_last, body=body, received_at=now
    )
    request.pages_in = number
    changed = ["pages_in"]
    if is_last:
        request.state, request.last_page, request.ended_at = RequestState.ANSWERED, number, now
        changed += ["state", "last_page", "ended_at"]
    leases.extend(request, now, changed)
    handlers.announce_page(request)

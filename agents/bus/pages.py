"""Pages of answers: checked, stored as they came, read by whoever asked."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from agents.bus import binary, handlers, leases
from agents.models import BusPage, RequestState
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.pages import PAGE_SCHEMA, decode_page

# PostgreSQL's integer; no answer comes near it.
MAX_PAGE_NUMBER: Final = 2_147_483_647


_STORE: Final = """
WITH held AS (
    UPDATE agents_busrequest
       SET pages_in = %(number)s, lease_expires_at = %(until)s,
           state = CASE WHEN %(is_last)s THEN 'answered' ELSE state END,
           last_page = CASE WHEN %(is_last)s THEN %(number)s ELSE last_page END,
           ended_at = CASE WHEN %(is_last)s THEN %(now)s ELSE ended_at END
     WHERE id = %(request)s AND leased_by_id = %(agent)s AND attempt = %(attempt)s
       AND state = 'leased' AND pages_in = %(number)s - 1
    RETURNING id, attempt, pages_in, kind),
stored AS (
    INSERT INTO agents_buspage (request_id, attempt, number, is_last, body, received_at)
    SELECT id, attempt, pages_in, %(is_last)s, %(body)b, %(now)s FROM held)
SELECT kind FROM held
"""
_READ: Final = "SELECT body FROM agents_buspage WHERE request_id = %s AND attempt = %s AND number = %s"


def store_page(
    request_id: uuid.UUID, agent_id: uuid.UUID, attempt: int, number: int, body: bytes, now: datetime
) -> None:
    """Store page ``number`` (from 1) and renew the lease; a page that is there already changes nothing.

    Raises :class:`WireError` for a page that is malformed, too large, out of order or not this agent's to send.
    """
    # Looked at before the costly part.
    if _is_stored(leases.standing(request_id), agent_id, attempt, number):
        return
    values = {
        "request": request_id,
        "agent": agent_id,
        "attempt": attempt,
        "number": number,
        "body": body,
        "is_last": _is_last(decode_page(body)),
        "now": now,
        "until": leases.until(now),
    }
    while (kind := _store(values)) is None:
        # Something came in between. What it was refuses the page, or has stored it.
        if _is_stored(leases.standing(request_id), agent_id, attempt, number):
            return
    handlers.announce_page(kind, request_id)


def read_page(request_id: uuid.UUID, attempt: int, number: int) -> bytes | None:
    """The page as the agent sent it, gzip'd JSON; None while it is not there."""
    with binary.cursor() as cursor:
        row = cursor.execute(_READ, [request_id, attempt, number], binary=True).fetchone()
    return None if row is None else row[0]


def has_page(request_id: uuid.UUID, attempt: int, number: int) -> bool:
    """Whether the page is there."""
    return BusPage.objects.filter(request_id=request_id, attempt=attempt, number=number).exists()


def _is_stored(request: leases.Standing, agent_id: uuid.UUID, attempt: int, number: int) -> bool:
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


def _store(values: Mapping[str, Any]) -> str | None:
    """Store a page of a request that stands as it should; the request's kind, None where it does not."""
    with binary.cursor() as cursor:
        row = cursor.execute(_STORE, values).fetchone()
    return None if row is None else row[0]

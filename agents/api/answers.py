"""What an agent sends about a request it holds: pages, a failure, signs of work, or the request itself back."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

import orjson
from django.utils import timezone

from agents import bus_tokens
from agents.api import parsing
from agents.api.http import SCIM_TYPE, Call, Reply
from agents.api.service import Service
from agents.bus import giving_back, leases, pages
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import MAX_PAGE_COMPRESSED

_ACCEPTED: Final = Reply(202, {})
_CODE: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,79}\Z")


async def post_page(service: Service, call: Call, request_id: str, number: str) -> Reply:
    """``POST bus/{request}/pages/{n}``: one page; the same number again is accepted and ignored."""
    attempt = call.number("attempt")
    # Nobody without a token of ours is listened to for 8 MiB. Whether its agent is still welcome is asked below.
    bus_tokens.read(call.bearer(), timezone.now())
    _check_headers(call)
    body = await call.body(MAX_PAGE_COMPRESSED, WireError("OversizedPage"))

    def store(agent_id: UUID) -> None:
        pages.store_page(UUID(request_id), agent_id, attempt, int(number), body, timezone.now())

    await service.for_agent(call, store)
    return _ACCEPTED


async def post_failure(service: Service, call: Call, request_id: str) -> Reply:
    """``POST bus/{request}/failure``: the request goes to another agent, or fails."""
    attempt = call.number("attempt")
    agent_id = await service.agent_by_bus_token(call)
    error = WireError.from_response(500, orjson.dumps(await call.json()))
    if error.code == "UnreadableAnswer" or not _CODE.match(error.code):
        raise parsing.malformed("The failure", "is not a SCIM error with a code")
    await service.threads.run(giving_back.refuse, UUID(request_id), agent_id, attempt, error, timezone.now())
    return _ACCEPTED


async def renew_lease(service: Service, call: Call, request_id: str) -> Reply:
    """``POST bus/{request}/lease``: the agent is still at it."""
    attempt = call.number("attempt")
    seconds = await service.for_agent(
        call, lambda agent_id: leases.renew(UUID(request_id), agent_id, attempt, timezone.now())
    )
    return Reply(200, {"leaseSeconds": seconds})


async def hand_back_lease(service: Service, call: Call, request_id: str) -> Reply:
    """``DELETE bus/{request}/lease``: the agent stops in good order."""
    attempt = call.number("attempt")
    await service.for_agent(
        call, lambda agent_id: giving_back.hand_back(UUID(request_id), agent_id, attempt, timezone.now())
    )
    return Reply(204)


def _check_headers(call: Call) -> None:
    media_type = call.header("content-type").partition(";")[0].strip().lower()
    if media_type != SCIM_TYPE or call.header("content-encoding").lower() != "gzip":
        raise WireError("MalformedPage", f"A page is sent as gzip'd {SCIM_TYPE}; update the agent.")

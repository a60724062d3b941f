"""``GET bus?wait=50``: the long poll. A waiting agent costs a coroutine, no thread and no connection."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import NamedTuple
from uuid import UUID

import orjson
from django.utils import timezone

from agents import bus_tokens, identity
from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.bus import giving_back, leases
from agents.bus.wakeups import Waiter
from provisioning_agent.wire.errors import WireError
from provisioning_agent.wire.limits import LONG_POLL_S

NOTHING = Reply(204)


class Look(NamedTuple):
    """What one look at the bus found: whose, the keys to wait by, and the lease if there was work."""

    agent_id: UUID
    keys: frozenset[UUID]
    lease: leases.Lease | None


class Disconnect:
    """Watches for the client to go away during the block, and wakes the waiter when it does."""

    def __init__(self, call: Call, waiter: Waiter) -> None:
        self._call, self._waiter = call, waiter
        self.has_happened = False

    async def __aenter__(self) -> Disconnect:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while (await self._call.receive())["type"] != "http.disconnect":
            pass
        self.has_happened = True
        self._waiter.wake()


async def poll(service: Service, call: Call) -> Reply:
    """One leased request, or nothing once the wait is over."""
    seconds = min(call.number("wait", default=LONG_POLL_S), LONG_POLL_S)
    ends_at = asyncio.get_running_loop().time() + seconds
    # Recognised by its token alone so far; each look asks whether the agent is still welcome.
    agent_id = bus_tokens.read(call.bearer(), timezone.now()).agent_id
    with service.wakeups.waiter(agent_id) as waiter:
        async with Disconnect(call, waiter) as disconnect:
            found = await _wait_for_work(service, call, waiter, disconnect, ends_at)
            if found is None or found.lease is None:
                return NOTHING
            # The reply is sent from here on; work for a client that has left goes to the next one at once.
            if disconnect.has_happened:
                await _hand_back(service, found.agent_id, found.lease)
                return NOTHING
    return Reply(200, _content(found.lease))


async def _wait_for_work(
    service: Service, call: Call, waiter: Waiter, disconnect: Disconnect, ends_at: float
) -> Look | None:
    clock = asyncio.get_running_loop().time
    while not disconnect.has_happened:
        waiter.reset()
        found = await service.threads.run(look, call.bearer(), timezone.now())
        if found.lease is not None:
            return found
        # Keys that were not followed so far: what came before we followed them is found by another look.
        if waiter.follow(found.keys):
            continue
        if not await waiter.wait(ends_at - clock()):
            return None
    return None


def look(bus_token: str, now: datetime) -> Look:
    """Recognise the agent and lease it a request if one waits; raises :class:`WireError`."""
    agent_id = identity.by_bus_token(bus_token, now)
    lease = leases.claim(agent_id, now)
    keys = frozenset() if lease else leases.domains(agent_id) | {agent_id}
    return Look(agent_id, keys, lease)


async def _hand_back(service: Service, agent_id: UUID, lease: leases.Lease) -> None:
    # The lease may be gone by now, for instance because the agent was revoked: then there is nothing to do.
    with suppress(WireError):
        await service.threads.run(
            giving_back.hand_back, lease.request_id, agent_id, lease.attempt, timezone.now()
        )


def _content(lease: leases.Lease) -> dict[str, object]:
    return {
        "requestId": str(lease.request_id),
        "attempt": lease.attempt,
        "leaseSeconds": lease.seconds,
        "request": orjson.Fragment(lease.body),
    }

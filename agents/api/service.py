"""What endpoints share: the database threads, the wake-ups, and who calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from agents import identity
from agents.api.http import Call
from agents.api.threads import DatabaseThreads
from agents.bus.wakeups import Wakeups

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The long-lived parts of one process."""

    threads: DatabaseThreads
    wakeups: Wakeups

    async def agent_by_assertion(self, call: Call) -> identity.Identity:
        """The agent that signed this call. The URL it signed is the one agents are told, whatever the proxy."""
        audience = f"{settings.AGENT_URL}{call.path}"
        return await self.threads.run(identity.by_assertion, call.bearer(), audience, timezone.now())

    async def agent_by_bus_token(self, call: Call) -> UUID:
        """The id of the agent that holds the bus token of this call."""
        return await self.threads.run(identity.by_bus_token, call.bearer(), timezone.now())

    async def for_agent(self, call: Call, work: Callable[[UUID], T]) -> T:
        """Run ``work`` for the agent that holds the bus token of this call, in one go with recognising it."""
        token, now = call.bearer(), timezone.now()
        return await self.threads.run(lambda: work(identity.by_bus_token(token, now)))

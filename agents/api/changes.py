"""``POST bus/changes``: an agent was notified of a change by its domain controller."""

from __future__ import annotations

from django.utils import timezone

from agents import changes
from agents.api import parsing
from agents.api.http import Call, Reply
from agents.api.service import Service


async def post_changes(service: Service, call: Call) -> Reply:
    """The domain is read at once instead of at its time."""
    agent_id = await service.agent_by_bus_token(call)
    fqdn = parsing.text(await call.json(), "domain", 255).lower()
    await service.threads.run(changes.note, agent_id, fqdn, timezone.now())
    return Reply(202, {})

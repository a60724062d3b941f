"""Signing in with Entra instead of an enrolment token: what an agent has to know, and the exchange."""

from __future__ import annotations

import asyncio
from typing import Final

from django.utils import timezone

from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.api.times import iso
from agents.entra import exchange, tie
from agents.throttle import Throttle

# Nobody who calls here has proved anything yet.
_THROTTLE: Final = Throttle(30, 60.0)


async def get_sign_in(service: Service, call: Call) -> Reply:
    """``GET sign-in``: where and as which application a person signs in; null where only tokens count."""
    bound = tie.current()
    entra = None if bound is None else {"authority": bound.authority, "clientId": bound.client_id}
    return Reply(200, {"entra": entra})


async def post_enrolment_tokens(service: Service, call: Call) -> Reply:
    """``POST enrolment-tokens``: the ID token of a person who may add agents, for a one-time token."""
    _THROTTLE.admit(call.address)
    token, now = call.bearer(), timezone.now()
    # Not in the database's threads: a slow Entra must not keep agents from their bus.
    person = await asyncio.to_thread(exchange.recognise, token, call.address, now)
    made, text = await service.threads.run(exchange.issue, token, person, call.address, now)
    return Reply(201, {"token": text, "expiresAt": iso(made.expires_at)})

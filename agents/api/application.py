"""The hybrid identity service as an ASGI application in front of Django's.

Agents do not pass Django's request handling: it runs a thread for each open request, reads a body whole before
anyone can refuse it, and its synchronous middleware would hold that thread through a long poll. A thousand idle
agents are a thousand coroutines here.
"""

from __future__ import annotations

import logging
import uuid

from django.conf import settings

from agents.api import routes
from agents.api.http import (
    Application,
    Call,
    Disconnected,
    Receive,
    Reply,
    Scope,
    Send,
    error_reply,
    send_reply,
)
from agents.api.service import Service
from agents.api.threads import DatabaseThreads
from agents.bus.wakeups import Wakeups
from agents.errors import refusal
from provisioning_agent.wire.errors import WireError

logger = logging.getLogger(__name__)


class HybridIdentityService:
    """Answers below ``/hybrid/v1/`` and leaves everything else to ``others``."""

    def __init__(self, others: Application) -> None:
        self._others = others
        self._service = Service(DatabaseThreads(), Wakeups())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One HTTP call, or the life of the process (ASGI lifespan)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(routes.PREFIX):
            await self._serve(Call(scope, receive), send)
        else:
            await self._others(scope, receive, send)

    async def close(self) -> None:
        """Stop listening and let the database threads end."""
        await self._service.wakeups.close()
        self._service.threads.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, call: Call, send: Send) -> None:
        try:
            reply = await self._answer(call)
        except Disconnected:
            return
        await send_reply(reply, send)

    async def _answer(self, call: Call) -> Reply:
        try:
            if not call.is_secure(settings.SECURE_PROXY_SSL_HEADER):
                raise refusal("HttpsRequired")
            return await routes.endpoint(call)(self._service, call)
        except WireError as error:
            return error_reply(error)
        except Disconnected:
            raise
        except Exception:
            correlation_id = str(uuid.uuid4())
            logger.exception("%s %s failed (%s)", call.method, call.path, correlation_id)
            return error_reply(WireError("ServiceUnavailable", correlation_id=correlation_id))

"""One HTTP call and its reply, straight on ASGI: bodies are bounded while they are read."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import orjson

from agents.errors import refusal
from provisioning_agent.wire.errors import WireError

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
T = TypeVar("T")

# Everything but pages is small.
MAX_SMALL_BODY: Final = 64 * 1024
JSON_TYPE: Final = "application/json"
SCIM_TYPE: Final = "application/scim+json"


class Disconnected(Exception):
    """The client went away while it was sending; nobody is left to answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, and what goes into the JSON body (None for none), or the body itself as bytes."""

    status: int
    content: Any = None
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)


class Call:
    """One call: its headers parsed once, its body read on demand."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.path: str = scope["path"]
        self.method: str = scope["method"]
        self.receive = receive
        self._scope = scope
        self._headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self._query = dict(parse_qsl(scope["query_string"].decode("latin-1"), max_num_fields=20))

    @property
    def address(self) -> str | None:
        """The caller's IP address, None behind a socket."""
        client: tuple[str, int] | None = self._scope.get("client")
        return client[0] if client else None

    def header(self, name: str) -> str:
        """A header by its lower-case name; empty when absent."""
        return self._headers.get(name, "")

    def is_secure(self, proxy_header: tuple[str, str] | None) -> bool:
        """Whether the call came over TLS, by itself or as the trusted proxy says."""
        if proxy_header is not None:
            name, value = proxy_header
            return self.header(name.removeprefix("HTTP_").replace("_", "-").lower()) == value
        return self._scope.get("scheme") == "https"

    def bearer(self) -> str:
        """The bearer token of the call, empty when there is none (RFC 6750 §2.1)."""
        scheme, _, token = self.header("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def number(self, name: str, default: int | None = None, most: int = 32_767) -> int:
        """A query parameter from 0 to ``most``; raises ``MalformedRequest``."""
        raw = self._query.get(name, "")
        if not raw and default is not None:
            return default
        if not (raw.isascii() and raw.isdigit()) or int(raw) > most:
            raise WireError(
                "MalformedRequest", f"The parameter {name} is not a number up to {most}; update the agent."
            )
        return int(raw)

    async def body(self, most: int, too_large: WireError) -> bytes:
        """The body; raises ``too_large`` as soon as more than ``most`` bytes are announced or come in."""
        announced = self.header("content-length")
        if announced.isdigit() and int(announced) > most:
            raise too_large
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            size += len(message.get("body", b""))
            if size > most:
                raise too_large
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    async def json(self) -> dict[str, Any]:
        """A small JSON object; raises ``MalformedRequest`` or ``BodyTooLarge``."""
        raw = await self.body(MAX_SMALL_BODY, refusal("BodyTooLarge"))
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise WireError("MalformedRequest", "The body is not JSON; update the agent.") from error
        # PostgreSQL's texts have no place for U+0000.
        if not isinstance(value, dict) or b"\\u0000" in raw:
            raise WireError(
                "MalformedRequest", "The body is not a JSON object of plain texts; update the agent."
            )
        return value


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a reply in one piece."""
    body = _encoded(reply.content)
    headers = {"content-length": str(len(body)), "cache-control": "no-store", **reply.headers}
    if reply.status == 204:
        del headers["content-length"]
    elif body:
        headers["content-type"] = reply.media_type
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


def _encoded(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return b"" if content is None else orjson.dumps(content)


def error_reply(error: WireError) -> Reply:
    """The SCIM error body of a refusal."""
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else {}
    if error.retry_after is not None:
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return Reply(error.status, error.to_body(), SCIM_TYPE, headers)

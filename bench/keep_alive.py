"""A small HTTP/1.1 client for asyncio: one connection that stays open, one call at a time.

Thousands of them fit into one process; they take what our portal answers and nothing more (no chunks, no redirects).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult

_END: Final = b"\r\n\r\n"


class KeepAlive:
    """Calls one after the other over one connection, opened when first needed and after it was closed."""

    def __init__(self, origin: SplitResult, context: ssl.SSLContext) -> None:
        self._origin, self._context = origin, context
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(
        self, method: str, url: str, token: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body of the answer; EOFError or OSError when the connection breaks."""
        path = url.split(self._origin.netloc, 1)[1]
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {self._origin.netloc}",
            f"Authorization: Bearer {token}",
        ]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        reader, writer = await self._open()
        writer.write("\r\n".join(lines).encode() + _END + body)
        await writer.drain()
        return await _answer(reader)

    def close(self) -> None:
        """Let the connection go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            self._streams = await asyncio.open_connection(
                self._origin.hostname, self._origin.port, ssl=self._context
            )
        return self._streams


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, *lines = (await reader.readuntil(_END)).decode("latin-1").split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    size = int(headers.get("content-length", "0"))
    return int(first.split(" ", 2)[1]), await reader.readexactly(size)

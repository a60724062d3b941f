"""Wake-ups: one listening connection a process, any number of waiters on its event loop."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final

import psycopg
from django.db import connections
from psycopg import sql

from agents.bus.notices import CHANNEL

logger = logging.getLogger(__name__)

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Connect = Callable[[], Awaitable[Connection]]

# Also what a wake-up lost in a broken connection costs at most.
SWEEP_S: Final = 2.0
# Long enough for what makes the socket readable to be read.
_MORE_S: Final = 0.05
BACK_OFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
_QUEUED: Final = "SELECT DISTINCT domain_id::text FROM agents_busrequest WHERE state = 'queued'"
# A peer that vanished without a word is noticed within half a minute.
_KEEPALIVES: Final = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


class Waiter:
    """One idle poll: it follows keys and is woken by a notice for one of them."""

    def __init__(self, registry: dict[str, set[Waiter]]) -> None:
        self._registry = registry
        self.keys: frozenset[str] = frozenset()
        self._woken = asyncio.Event()

    def follow(self, keys: Iterable[uuid.UUID | str]) -> bool:
        """Follow exactly these keys; true when they are other than before."""
        wanted = frozenset(map(str, keys))
        if wanted == self.keys:
            return False
        self.leave()
        for key in wanted:
            self._registry[key].add(self)
        self.keys = wanted
        return True

    def leave(self) -> None:
        """Follow nothing any more."""
        for key in self.keys:
            self._registry[key].discard(self)
            if not self._registry[key]:
                del self._registry[key]
        self.keys = frozenset()

    def wake(self) -> None:
        """End the current or the next wait."""
        self._woken.set()

    def reset(self) -> None:
        """Forget earlier wake-ups; to be called before looking for work, so that none in between is lost."""
        self._woken.clear()

    async def wait(self, seconds: float) -> bool:
        """Wait to be woken; false when ``seconds`` passed instead."""
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return False
        return True


class Wakeups:
    """Listens on the notice channel while in use and wakes waiters; survives restarts of PostgreSQL."""

    def __init__(self, connect: Connect | None = None) -> None:
        self._connect = connect or connect_like_django
        self._waiters: dict[str, set[Waiter]] = defaultdict(set)
        self._last_keys: dict[uuid.UUID, frozenset[str]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Wakeups:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @contextmanager
    def waiter(self, agent_id: uuid.UUID) -> Iterator[Waiter]:
        """A waiter for the time of the block, which follows what the agent's last one did.

        The first one starts the listening.
        """
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        waiter = Waiter(self._waiters)
        waiter.follow(self._last_keys.get(agent_id, ()))
        try:
            yield waiter
        finally:
            self._last_keys[agent_id] = waiter.keys
            waiter.leave()

    async def close(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self) -> None:
        failures = 0
        while True:
            try:
                async with await self._connect() as connection:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                    failures = 0
                    await self._dispatch(connection)
            except psycopg.Error as error:
                pause = BACK_OFF_S[min(failures, len(BACK_OFF_S) - 1)]
                failures += 1
                logger.warning("Listening for wake-ups broke off, again in %.1f s: %s", pause, error)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret

    async def _dispatch(self, connection: Connection) -> None:
        clock = asyncio.get_running_loop().time
        sweep_at = clock()
        while True:
            if clock() >= sweep_at:
                await self._sweep(connection)
                sweep_at = clock() + SWEEP_S
            async for notice in connection.notifies(timeout=_MORE_S):
                self._wake(notice.payload)
            await _something_came(connection.fileno(), sweep_at - clock())

    async def _sweep(self, connection: Connection) -> None:
        """Find what was queued while nobody listened, and what may be offered again by now."""
        if self._waiters:
            for row in await (await connection.execute(_QUEUED)).fetchall():
                self._wake(row[0])

    def _wake(self, key: str) -> None:
        for waiter in self._waiters.get(key, ()):
            waiter.wake()


async def _something_came(socket: int, seconds: float) -> None:
    """Sleep until there is something to read, or the time is over; psycopg's own wait looks ten times a second."""
    came = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(socket, came.set)
    try:
        await asyncio.wait_for(came.wait(), seconds)
    except TimeoutError:
        pass
    finally:
        loop.remove_reader(socket)


async def connect_like_django() -> Connection:
    """A connection of our own to the database that Django uses."""
    parameters = dict(connections["default"].get_connection_params())
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    return await psycopg.AsyncConnection.connect(autocommit=True, **{**_KEEPALIVES, **parameters})

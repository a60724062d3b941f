"""Database work off the event loop, in few threads with a connection each, however many agents wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Final, ParamSpec, TypeVar

from django.db import close_old_connections, connections

P = ParamSpec("P")
T = TypeVar("T")

THREADS: Final = 8


class DatabaseThreads:
    """A pool of threads for synchronous units of work."""

    def __init__(self, threads: int = THREADS) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="isthmus-db")

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a thread and return what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: _unit(work, *args, **kwargs))

    def close(self) -> None:
        """Let the threads finish what they do, close their connections and end."""
        # Each waits for the others, so that every thread gets one of these.
        together = Barrier(self._threads)
        for _ in range(self._threads):
            self._pool.submit(_end, together)
        self._pool.shutdown(wait=True)


def _end(together: Barrier) -> None:
    connections.close_all()
    together.wait()


def _unit(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # As Django does around a request: connections that broke or grew old are replaced.
    close_old_connections()
    try:
        return work(*args, **kwargs)
    finally:
        close_old_connections()

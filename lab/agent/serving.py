"""A server of the standard library that answers from a thread of its own, until the end of the block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from typing import TypeVar

ServerT = TypeVar("ServerT", bound=BaseServer)
_POLL_S = 0.05


@contextmanager
def serving(server: ServerT) -> Iterator[ServerT]:
    """Serve, stop, and close the socket."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()

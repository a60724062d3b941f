"""The embedded broker: kombu's filesystem transport, with messages that appear and vanish in one step.

kombu creates a message's file and then writes to it. A consumer that comes in between takes an empty file, and
dies of it. Here a message is written beside the queue and renamed into it, and taken out of it by a rename.
"""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path
from queue import Empty
from time import sleep, time_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

logger = logging.getLogger(__name__)

_BIND_TRIES, _BIND_WAIT_S = 20, 0.05
_READY, _WRITING, _TAKEN = ".msg", ".writing", ".taken"


class Channel(filesystem.Channel):
    """A folder of messages; names sort by the moment they were sent."""

    def get_table(self, exchange: str) -> list[Any]:
        """Who is bound to the exchange; nobody while the first binding is just being written."""
        try:
            return list(super().get_table(exchange))
        except ValueError:
            return []

    # kombu's own two base classes disagree on which of these may be None.
    def _queue_bind(self, exchange: str, routing_key: Any, pattern: Any, queue: str) -> None:
        for _ in range(_BIND_TRIES):
            try:
                super()._queue_bind(exchange, routing_key, pattern, queue)
            except ValueError:
                # Processes that start together: another one has made the file and not written to it yet.
                sleep(_BIND_WAIT_S)
            else:
                return
        raise ChannelError(f"The bindings of {exchange} are unreadable; remove the broker's control folder.")

    # kombu's own two base classes name the second argument differently.
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time_ns():020d}_{uuid.uuid4().hex}.{queue}"
        writing = Path(self.data_folder_out) / f"{name}{_WRITING}"
        writing.write_text(dumps(payload), encoding="utf-8")
        writing.rename(writing.with_name(f"{name}{_READY}"))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        folder = Path(self.data_folder_in)
        ending = f".{queue}{_READY}"
        for name in sorted(one for one in os.listdir(folder) if one.endswith(ending)):
            payload = _take(folder / name)
            if payload is not None:
                return payload
        raise Empty


class Transport(filesystem.Transport):
    """Named by ``CELERY_BROKER_TRANSPORT``."""

    Channel = Channel


def _take(message: Path) -> Any:
    """The message, which nobody else can take any more; None when somebody else was faster."""
    taken = message.with_name(message.name + _TAKEN)
    try:
        message.rename(taken)
    except FileNotFoundError:
        return None
    text = taken.read_text(encoding="utf-8")
    taken.unlink()
    try:
        return loads(text)
    except ValueError:
        # A power cut can leave a file without its content. It was a hint: the watchdog gives it again.
        logger.warning("a message of the embedded broker was unreadable and is dropped: %s", message.name)
        return None

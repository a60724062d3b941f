"""Who asked: other apps register a handler for their kind of request and are told what becomes of it."""

from __future__ import annotations

import uuid
from typing import Protocol

from django.db import transaction

from agents.models import BusRequest


class Handler(Protocol):
    """Told after the transaction committed; a call that fails is logged, so the truth must be in the tables."""

    def page_stored(self, request_id: uuid.UUID) -> None:
        """A further page of the answer is there, perhaps the last."""

    def request_failed(self, request_id: uuid.UUID) -> None:
        """No answer will come; the request says why."""


_handlers: dict[str, Handler] = {}


def register(kind: str, handler: Handler) -> None:
    """Let ``handler`` hear of requests of this kind; called from ``AppConfig.ready``."""
    _handlers[kind] = handler


def announce_page(kind: str, request_id: uuid.UUID) -> None:
    """Tell the handler of a stored page after commit."""
    _after_commit(kind, request_id, "page_stored")


def announce_failure(request: BusRequest) -> None:
    """Tell the handler that the request failed, after commit."""
    _after_commit(request.kind, request.pk, "request_failed")


def _after_commit(kind: str, request_id: uuid.UUID, event: str) -> None:
    # robust: the page is stored whether or not the hint gets out; Django logs the exception.
    def announce() -> None:
        _call(kind, request_id, event)

    transaction.on_commit(announce, robust=True)


def _call(kind: str, request_id: uuid.UUID, event: str) -> None:
    handler = _handlers.get(kind)
    if handler is None:
        raise LookupError(f"No handler is registered for bus requests of the kind {kind!r}.")
    if event == "page_stored":
        handler.page_stored(request_id)
    else:
        handler.request_failed(request_id)

"""The correlation id of the cycle being answered: on every line that its answering writes, in whatever module."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("correlation", default="")


@contextmanager
def correlated(correlation_id: str) -> Iterator[None]:
    """Lines written in this block, and in threads started in it with a copied context, carry the id."""
    token = _current.set("".join(correlation_id.split()))
    try:
        yield
    finally:
        _current.reset(token)


class Correlation(logging.Filter):
    """Adds ``correlation=`` to lines that do not have it; for handlers, since loggers' filters are not inherited."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every record passes."""
        current = _current.get()
        message = record.getMessage() if current else ""
        if current and " correlation=" not in message:
            record.msg, record.args = f"{message} correlation={current}", ()
        return True

"""Listeners that note what they hear."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from agents import events
from agents.bus import handlers
from agents.models import Domain

KIND = "test"


class Heard:
    """A listener to domain events and a handler of bus requests of the kind ``test``."""

    def __init__(self) -> None:
        self.agentless: list[tuple[str, datetime]] = []
        self.recovered: list[tuple[str, datetime]] = []
        self.changed: list[tuple[str, datetime]] = []
        self.pages: list[uuid.UUID] = []
        self.failures: list[uuid.UUID] = []

    def page_stored(self, request_id: uuid.UUID) -> None:
        self.pages.append(request_id)

    def request_failed(self, request_id: uuid.UUID) -> None:
        self.failures.append(request_id)

    def _lost(self, domain: Domain, at: datetime) -> None:
        self.agentless.append((domain.fqdn, at))

    def _found(self, domain: Domain, at: datetime) -> None:
        self.recovered.append((domain.fqdn, at))

    def _different(self, domain: Domain, at: datetime) -> None:
        self.changed.append((domain.fqdn, at))

    @contextmanager
    def listening(self) -> Iterator[Heard]:
        events.on_domain_agentless(self._lost)
        events.on_domain_recovered(self._found)
        events.on_domain_changed(self._different)
        handlers.register(KIND, self)
        try:
            yield self
        finally:
            events._agentless.remove(self._lost)
            events._recovered.remove(self._found)
            events._changed.remove(self._different)
            del handlers._handlers[KIND]

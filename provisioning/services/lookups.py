"""Asking the agents for one object, and waiting for the answer in the request of the person who asks."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from agents.bus import pages as bus_pages
from agents.bus import requests as bus
from agents.models import BusRequest, RequestState
from provisioning import errors
from provisioning.models import Configuration
from provisioning.services import reading
from provisioning.services.clock import now as clock
from provisioning.services.jobs import JobRefused
from provisioning.services.page_reader import open_page, read_objects
from provisioning.store import waiting
from provisioning.store.rows import StagedPage
from provisioning_agent.wire import pages as wire
from provisioning_agent.wire.lookups import Lookup, LookupStatus, is_name
from provisioning_agent.wire.shape import OBJECTS

# The kind under which these requests travel on the bus.
LOOKUP: Final = "lookup"
_REFUSED: Final = {
    LookupStatus.NOT_FOUND: "ObjectNotFound",
    LookupStatus.AMBIGUOUS: "HybridSynchronizationActiveDirectoryUnexpectedDuplicateEntriesFound",
    LookupStatus.NOT_READ: "ObjectNotRead",
}


class LookupRefused(JobRefused):
    """The object could not be read; ``code`` may be one that an agent gave, with its own sentence."""

    def __init__(self, code: str, detail: str = "") -> None:
        Exception.__init__(self, detail or errors.ERRORS.get(code, code))
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What an agent says of one object: how it was found, its rows, and when (aware UTC)."""

    lookup: Lookup
    page: StagedPage
    asked_at: datetime
    answered_at: datetime


class Unheard:
    """Who asked waits for the rows; hints are not needed."""

    def page_stored(self, request_id: UUID) -> None:
        """The one who waits sees it."""

    def request_failed(self, request_id: UUID) -> None:
        """The one who waits sees it."""


def look_up(configuration: Configuration, name: str, now: datetime) -> Answer:
    """Ask for one object by objectGUID, DN or UPN; raises :class:`LookupRefused`. Not within a transaction."""
    answer = _look_up(configuration, name, now)
    if answer.lookup.status in _REFUSED:
        raise LookupRefused(_REFUSED[answer.lookup.status])
    return answer


def identify(configuration: Configuration, name: str, now: datetime) -> Lookup:
    """Ask who or what has this objectGUID or DN, be it of a kind that is not read; raises as :func:`look_up`."""
    lookup = _look_up(configuration, name, now).lookup
    if lookup.status in (LookupStatus.FOUND, LookupStatus.NOT_READ):
        return lookup
    raise LookupRefused(_REFUSED.get(lookup.status, "ObjectNotFound"))


def _look_up(configuration: Configuration, name: str, now: datetime) -> Answer:
    if not is_name(name):
        raise LookupRefused("ObjectNotFound")
    unavailable = bus.availability(configuration.domain)
    if unavailable is not None:
        raise LookupRefused(unavailable)
    request_id = _ask(configuration, name, now)
    try:
        _wait(request_id)
        lookup, page = _read(request_id, configuration, now)
    finally:
        bus.discard(request_id)
    return Answer(lookup, page, now, clock())


def _ask(configuration: Configuration, name: str, now: datetime) -> UUID:
    correlation_id = uuid.uuid4()
    deadline = now + timedelta(seconds=settings.ON_DEMAND_TIMEOUT_S)
    body = reading.lookup_body(configuration, name, correlation_id, deadline)
    with transaction.atomic(durable=True):
        return bus.enqueue(
            domain=configuration.domain, kind=LOOKUP, body=body, correlation_id=correlation_id, now=now
        ).pk


def _wait(request_id: UUID) -> None:
    """Until the answer is complete."""

    def ended() -> BusRequest | None:
        known = BusRequest.objects.only("state", "error_code", "error_detail")
        return known.filter(pk=request_id, state__in=(RequestState.ANSWERED, RequestState.FAILED)).first()

    request = waiting.until(ended, settings.ON_DEMAND_TIMEOUT_S)
    if request is None:
        raise LookupRefused("OnDemandTimeOut")
    if request.state == RequestState.FAILED:
        raise LookupRefused(request.error_code, request.error_detail)


def _read(request_id: UUID, configuration: Configuration, now: datetime) -> tuple[Lookup, StagedPage]:
    """All pages of the answer as one; a large group comes in several."""
    attempt, last = BusRequest.objects.values_list("attempt", "last_page").get(pk=request_id)
    reader = reading.of(configuration)
    whole = StagedPage()
    lookup = None
    for number in range(1, (last or 0) + 1):
        body = bus_pages.read_page(request_id, attempt, number)
        if body is None:
            raise LookupRefused("RequestUnknown")
        document = open_page(body)
        lookup = _lookup_in(document)
        whole.take(read_objects(document, reader, now))
    if lookup is None:
        raise LookupRefused("RequestUnknown")
    return lookup, whole


def _lookup_in(document: Mapping[str, Any]) -> Lookup:
    extension = document[wire.PAGE_SCHEMA]
    if extension["mode"] != OBJECTS or not extension["lookups"]:
        raise LookupRefused("AgentTooOld")
    return Lookup.from_dict(extension["lookups"][0])

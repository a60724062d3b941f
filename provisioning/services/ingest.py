"""Step 4: take the pages of an answer one after the other while later ones are still being read.

Pages are merged in order, because a delta's membership changes have an order. One worker at a time holds the
cycle; a hint that finds it held can leave, because the holder looks for a next page before it lets go.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from agents.bus import pages as bus_pages
from agents.models import BusRequest, RequestState
from provisioning.models import Cycle, CycleKind, CycleStep
from provisioning.services import failing, reading
from provisioning.services.clock import now as clock
from provisioning.services.hints import Hint, Step
from provisioning.services.page_reader import Answer, read_page
from provisioning.store import durability, locks, staging


def ingest(cycle_id: int) -> list[Hint]:
    """Merge every page that is there; the hint to plan when the answer is complete."""
    while True:
        with locks.cycle_lock(cycle_id) as owned:
            if not owned:
                return []
            hints = _ingest_available(cycle_id)
        if hints or not _more_came(cycle_id):
            return hints


def _ingest_available(cycle_id: int) -> list[Hint]:
    cycle = _reading_cycle(cycle_id)
    while cycle is not None:
        request = _request_of(cycle)
        if request is None or request.state == RequestState.FAILED:
            return _give_up(cycle, request)
        if request.attempt != cycle.read_attempt:
            _start_over(cycle, request.attempt)
        body = bus_pages.read_page(request.id, request.attempt, cycle.pages_read + 1)
        if body is None:
            return []
        if _merge_page(cycle, body, clock()):
            return [Hint(Step.PLAN, cycle_id)]
        cycle = _reading_cycle(cycle_id)
    return []


def _request_of(cycle: Cycle) -> BusRequest | None:
    if cycle.request_id is None:
        return None
    return BusRequest.objects.filter(pk=cycle.request_id).first()


def _reading_cycle(cycle_id: int) -> Cycle | None:
    return (
        Cycle.objects.filter(pk=cycle_id, step=CycleStep.READING)
        .select_related("job__configuration__domain", "job__configuration__target")
        .defer("job__configuration__schema")
        .first()
    )


def _more_came(cycle_id: int) -> bool:
    """Whether a page arrived between our last look and the moment the lock was let go."""
    cycle = Cycle.objects.filter(pk=cycle_id, step=CycleStep.READING).first()
    request = _request_of(cycle) if cycle is not None else None
    if cycle is None or request is None or request.state == RequestState.FAILED:
        return False
    return bus_pages.has_page(request.id, request.attempt, _next_page(cycle, request.attempt))


def _next_page(cycle: Cycle, attempt: int) -> int:
    return cycle.pages_read + 1 if attempt == cycle.read_attempt else 1


def _give_up(cycle: Cycle, request: BusRequest | None) -> list[Hint]:
    code = request.error_code if request is not None else "RequestUnknown"
    detail = request.error_detail if request is not None else failing.sentence("RequestUnknown")
    failing.fail(cycle, code, detail, clock())
    return []


def _start_over(cycle: Cycle, attempt: int) -> None:
    """Another agent reads from the start: what the first one was seen to deliver does not count."""
    with transaction.atomic():
        if cycle.read_attempt:
            # Before the first attempt only provisioning on demand has seen anything, and that stays.
            staging.forget_seen(cycle.pk)
        Cycle.objects.filter(pk=cycle.pk).update(read_attempt=attempt, pages_read=0, count_imported=0)
    cycle.read_attempt, cycle.pages_read = attempt, 0


def _merge_page(cycle: Cycle, body: bytes, now: datetime) -> bool:
    """Merge one page and note it in the same transaction; true when it was the last one."""
    reader = reading.of(cycle.job.configuration)
    page, answer = read_page(body, reader, now)
    is_same = not cycle.pages_read or cycle.read_as == reader.digest
    kind = _kind_told(cycle, answer)
    with transaction.atomic():
        durability.not_now()
        staging.merge(
            cycle.job.configuration_id,
            cycle.pk,
            page,
            now,
            mark_seen=kind == CycleKind.INITIAL or answer.names_everybody,
        )
        Cycle.objects.filter(pk=cycle.pk, step=CycleStep.READING).update(
            pages_read=F("pages_read") + 1,
            count_imported=F("count_imported") + page.resources,
            moved_at=now,
            kind=kind,
            read_as=reader.digest if is_same else "",
            **_ending(answer),
        )
    return answer.is_complete


def _kind_told(cycle: Cycle, answer: Answer) -> CycleKind:
    """An agent whose cookie was refused reads everything afresh, and says so."""
    return CycleKind.INITIAL if answer.is_full_read else CycleKind(cycle.kind)


def _ending(answer: Answer) -> dict[str, Any]:
    if not answer.is_complete:
        return {}
    return {"step": CycleStep.PLANNING, "new_watermark": answer.watermark, "notes": answer.notes}

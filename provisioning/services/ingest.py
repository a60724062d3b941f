"""Step 4: take the pages of an answer one after the other while later ones are still being read.

Pages are merged in order, because a delta's membership changes have an order. One worker at a time holds the
cycle; a hint that finds it held can leave, because the holder looks for a next page before it lets go.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from django.db import transaction

from agents.bus import pages as bus_pages
from agents.models import BusRequest, RequestState
from provisioning.models import Cycle, CycleKind, CycleStep, Job
from provisioning.services import failing, reading, settling
from provisioning.services.clock import now as clock
from provisioning.services.hints import Hint, Step
from provisioning.services.page_reader import Answer
from provisioning.services.pages_ahead import PagesAhead
from provisioning.store import durability, locks, pending, staging, standing
from provisioning.store.rows import EncodedPage


class Progress(Enum):
    """How far the pages that are there have brought a cycle."""

    WAITING = auto()
    READ = auto()
    ENDED = auto()


def ingest(cycle_id: int) -> list[Hint]:
    """Merge every page that is there; the hint to plan when the answer is complete."""
    while True:
        with locks.cycle_lock(cycle_id) as owned:
            if not owned:
                return []
            with PagesAhead() as pages:
                progress = _ingest_available(cycle_id, pages)
        if progress is Progress.READ:
            return [Hint(Step.PLAN, cycle_id)]
        if progress is Progress.ENDED or not _more_came(cycle_id):
            return []


def _ingest_available(cycle_id: int, pages: PagesAhead) -> Progress:
    cycle: Cycle | None = None
    all_new = False
    while (cycle := _reading_cycle(cycle_id, cycle)) is not None:
        request = _request_of(cycle)
        if request is None or request.state == RequestState.FAILED:
            return _give_up(cycle, request)
        if request.attempt != cycle.read_attempt:
            _start_over(cycle, request.attempt)
        configuration, number, now = cycle.job.configuration, cycle.pages_read + 1, clock()
        mapped = pages.take((request.id, request.attempt, number), configuration, now)
        if mapped is None:
            return Progress.WAITING
        page, answer = mapped
        if not answer.is_complete:
            pages.look((request.id, request.attempt, number + 1), configuration, now)
        progress, all_new = _merge_page(cycle, page, answer, now, presumed_new=all_new)
        if progress is not Progress.WAITING:
            return progress
    return Progress.ENDED


def _request_of(cycle: Cycle) -> BusRequest | None:
    if cycle.request_id is None:
        return None
    return (
        BusRequest.objects.filter(pk=cycle.request_id)
        .only("state", "attempt", "error_code", "error_detail")
        .first()
    )


def _reading_cycle(cycle_id: int, known: Cycle | None) -> Cycle | None:
    """The cycle, if it still reads: as the page before has left it, unless its configuration was saved since."""
    # Only of one that has imported nothing is it asked what others may have done to its job (:func:`_is_quiet`).
    if known is not None and known.count_imported and _still_reads(known):
        return known
    return (
        Cycle.objects.filter(pk=cycle_id, step=CycleStep.READING)
        .select_related("job__configuration__domain")
        .defer(*reading.unneeded("job__configuration"), "job__question")
        .first()
    )


def _still_reads(cycle: Cycle) -> bool:
    return standing.still_reads(cycle.pk, cycle.job.configuration.updated_at)


def _more_came(cycle_id: int) -> bool:
    """Whether a page arrived between our last look and the moment the lock was let go."""
    cycle = Cycle.objects.filter(pk=cycle_id, step=CycleStep.READING).first()
    request = _request_of(cycle) if cycle is not None else None
    if cycle is None or request is None or request.state == RequestState.FAILED:
        return False
    return bus_pages.has_page(request.id, request.attempt, _next_page(cycle, request.attempt))


def _next_page(cycle: Cycle, attempt: int) -> int:
    return cycle.pages_read + 1 if attempt == cycle.read_attempt else 1


def _give_up(cycle: Cycle, request: BusRequest | None) -> Progress:
    code = request.error_code if request is not None else "RequestUnknown"
    detail = request.error_detail if request is not None else failing.sentence("RequestUnknown")
    failing.fail(cycle, code, detail, clock())
    return Progress.ENDED


def _start_over(cycle: Cycle, attempt: int) -> None:
    """Another agent reads from the start: what the first one was seen to deliver does not count."""
    # Before the first attempt only provisioning on demand has seen anything, and that stays.
    if cycle.read_attempt:
        with transaction.atomic():
            staging.start_over(cycle.job.configuration_id, cycle.pk)
            Cycle.objects.filter(pk=cycle.pk).update(read_attempt=attempt, pages_read=0, count_imported=0)
    cycle.read_attempt, cycle.pages_read, cycle.count_imported = attempt, 0, 0


def _merge_page(
    cycle: Cycle, page: EncodedPage, answer: Answer, now: datetime, *, presumed_new: bool
) -> tuple[Progress, bool]:
    """Merge one page and note it in the same transaction; with the last one a cycle without a change is over.

    Returns whether all of its objects were new, too: the next page's are presumed to be as well.
    """
    is_full = cycle.kind == CycleKind.INITIAL or answer.is_full_read
    mark_seen = is_full or answer.names_everybody
    with transaction.atomic():
        durability.not_now()
        if is_full:
            Job.objects.filter(pk=cycle.job_id, has_unmarked=False).update(has_unmarked=True)
        all_new = staging.merge(
            cycle.job.configuration_id,
            cycle.pk,
            page,
            now,
            mark_seen=mark_seen,
            marks_new=not is_full,
            presumed_new=presumed_new,
        )
        is_ours = _note(cycle, page, answer, now)
        if not answer.is_complete:
            return Progress.WAITING, all_new
        if is_ours and not mark_seen and _is_quiet(cycle, now):
            settling.settle_quiet(cycle, now)
            return Progress.ENDED, all_new
    return Progress.READ, all_new


def _note(cycle: Cycle, page: EncodedPage, answer: Answer, now: datetime) -> bool:
    """Note the page; false for a cycle that has ended otherwise in the meantime."""
    digest = reading.asked(cycle.job.configuration).digest
    cycle.read_as = digest if not cycle.pages_read or cycle.read_as == digest else ""
    cycle.pages_read += 1
    cycle.count_imported += page.resources
    cycle.moved_at = now
    fields = ["read_attempt", "read_as", "pages_read", "count_imported", "moved_at"]
    if answer.is_full_read:
        # An agent whose cookie was refused reads everything afresh, and says so.
        cycle.kind = CycleKind.INITIAL
        fields.append("kind")
    if answer.is_complete:
        cycle.step, cycle.new_watermark, cycle.notes = CycleStep.PLANNING, answer.watermark, answer.notes
        fields += ["step", "new_watermark", "notes"]
    values = {name: getattr(cycle, name) for name in fields}
    return bool(Cycle.objects.filter(pk=cycle.pk, step=CycleStep.READING).update(**values))


def _is_quiet(cycle: Cycle, now: datetime) -> bool:
    job = cycle.job
    if (
        cycle.count_imported
        or job.has_unmarked
        or job.evaluated_as != reading.asked(job.configuration).digest
    ):
        return False
    return not pending.is_anything(job.configuration_id, cycle.pk, now)

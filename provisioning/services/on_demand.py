"""Provisioning one object now: read it, merge it, plan it and write it, by the same engine as every cycle.

The watermark, the schedule and every other object stay as they are. While a cycle of the job is under way, its plan
is kept from starting; where that cycle is about to write the same object, this one waits for it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction

from provisioning.engine import guard
from provisioning.models import (
    Change,
    ChangeKind,
    ChangeStatus,
    Configuration,
    Cycle,
    CycleKind,
    CycleStep,
    Job,
    JobKind,
    Link,
    SourceObject,
)
from provisioning.models.cycle import READING_KINDS
from provisioning.services import exporting, guarding, lookups, on_demand_report, planning, reading, settling
from provisioning.services.clock import now as clock
from provisioning.services.hints import Hint, Step
from provisioning.services.jobs import JobRefused
from provisioning.services.lookups import Answer
from provisioning.services.phases import Phase
from provisioning.store import (
    escrow,
    locks,
    logs,
    neighbours,
    primary_groups,
    removals,
    single,
    staging,
    waiting,
)
from provisioning.store import planning as plans
from provisioning.store.encoding import encoded
from provisioning.store.rows import StagedPage

REDUNDANT: Final = "RedundantExport"
_REDUNDANT_TOLD: Final = "The target holds what is wanted already."
_OUT_OF_SCOPE: Final = "NotEffectivelyEntitled"
_OUT_OF_SCOPE_TOLD: Final = (
    "The object is not wanted in the target, and nothing of it may be or has to be removed."
)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of the object before it was read."""

    source_id: int | None
    link_state: str
    target_id: str


def provision(configuration: Configuration, name: str, now: datetime, *, forced: bool) -> dict[str, Any]:
    """Provision one object by objectGUID, DN or UPN, and tell every step.

    ``forced`` writes it although the scope leaves it out, until it is next read or mapped. Raises
    :class:`JobRefused`. Not within a transaction.
    """
    answer = lookups.look_up(configuration, name, now)
    page = _as_scoped(answer, forced=forced)
    before = _before(configuration, answer.lookup.guid)
    cycle = None
    if page.objects or before.source_id is not None:
        cycle = _run(configuration, page, before, answer)
    return on_demand_report.of(configuration, answer, before.link_state, cycle, forced=forced)


def _as_scoped(answer: Answer, *, forced: bool) -> StagedPage:
    """The page as it is merged: forced into the scope, or out of it where no container holds the object."""
    page = answer.page
    if forced:
        return replace(page, objects=[one._replace(in_scope=True) for one in page.objects])
    if page.objects and not answer.lookup.in_scope:
        return StagedPage(tombstones={"outOfScope": [answer.lookup.guid]})
    return page


def _before(configuration: Configuration, guid: str) -> Before:
    source = SourceObject.objects.filter(configuration=configuration, guid=guid).values_list("pk", flat=True)
    source_id = source.first()
    link = Link.objects.filter(source_id=source_id).first() if source_id is not None else None
    return Before(source_id, link.state if link else "none", link.target_id if link else "")


def _run(configuration: Configuration, page: StagedPage, before: Before, answer: Answer) -> Cycle:
    """Plan and write in a moment at which no cycle of the job plans."""
    job_id = Job.objects.values_list("pk", flat=True).get(configuration=configuration, kind=JobKind.OBJECTS)

    def run() -> Cycle | None:
        current = Job.objects.values_list("current_cycle_id", flat=True).get(pk=job_id)
        with _still(current) as is_still:
            cycle = _planned(job_id, current, page, before, answer) if is_still else None
            if cycle is not None:
                _write(cycle)
        return cycle

    cycle = waiting.until(run, settings.ON_DEMAND_TIMEOUT_S)
    if cycle is None:
        raise JobRefused("CycleInTheWay")
    cycle.refresh_from_db()
    return cycle


@contextmanager
def _still(cycle_id: int | None) -> Iterator[bool]:
    """Whether the cycle under way, if any, now keeps from reading and planning."""
    if cycle_id is None:
        yield True
        return
    with locks.cycle_lock(cycle_id) as owned:
        yield owned


def _planned(
    job_id: int, current: int | None, page: StagedPage, before: Before, answer: Answer
) -> Cycle | None:
    """Merge and plan in one transaction; None where the job has moved on, or is about to write the object."""
    now = clock()
    with transaction.atomic(durable=True):
        # No cycle starts or settles while this row is locked.
        job = (
            Job.objects.select_for_update(of=("self",))
            .select_related("configuration__domain")
            .defer("configuration__schema")
            .get(pk=job_id)
        )
        if job.current_cycle_id != current or _is_in_the_way(current, before.source_id):
            return None
        cycle = Cycle.objects.create(
            job=job,
            kind=CycleKind.ON_DEMAND,
            step=CycleStep.EXPORTING,
            started_at=answer.asked_at,
            moved_at=now,
        )
        _merge(job.configuration, cycle, current, page, now)
        cycle.source_id = SourceObject.objects.values_list("pk", flat=True).get(
            configuration=job.configuration_id, guid=answer.lookup.guid
        )
        cycle.count_imported = page.resources
        _plan(cycle, UUID(answer.lookup.guid), now)
        if current is None:
            job.current_cycle = cycle
            job.save(update_fields=["current_cycle"])
    return cycle


def _is_in_the_way(current: int | None, source_id: int | None) -> bool:
    if current is None or source_id is None or not single.is_in_open_plan(current, source_id):
        return False
    if Cycle.objects.filter(pk=current, step=CycleStep.HELD).exists():
        raise JobRefused("JobHeld")
    return True


def _merge(
    configuration: Configuration, cycle: Cycle, current: int | None, page: StagedPage, now: datetime
) -> None:
    """A read under way that names everybody must not take the object for gone: it may have passed its place."""
    is_read = (
        current is not None
        and Cycle.objects.filter(pk=current, step=CycleStep.READING, kind__in=READING_KINDS).exists()
    )
    seen_by = current if current is not None and is_read else cycle.pk
    staging.merge(configuration.pk, seen_by, encoded(page), now, mark_seen=is_read)
    primary_groups.derive(configuration.pk, neighbours.of_domain(configuration))


def _plan(cycle: Cycle, guid: UUID, now: datetime) -> None:
    """Write the plan of the one object; refused where the delete guard would hold it."""
    source_id = cycle.source_id or 0
    configuration = cycle.job.configuration
    reader = reading.of(configuration)
    skips = configuration.skip_out_of_scope_deletions
    plans.store(cycle.pk, planning.decisions([single.of(source_id)], reader, skips, Counter()))
    members = planning.plan_members(cycle, reader)
    counts = removals.planned(cycle.pk)
    limits = guarding.settings_of(configuration)
    taken = guarding.removals_of(cycle, counts, members, limits)
    if guard.holds(taken, limits, allowed_by_person=False):
        raise JobRefused("TooManyDeletes")
    escrow.keep_failed_plan(cycle.pk, now)
    logs.write_failed_at_plan(configuration.pk, cycle.pk, now)
    cycle.count_failed = Change.objects.filter(cycle=cycle, status=ChangeStatus.FAILED).count()
    cycle.count_planned = sum(counts.values()) + members
    cycle.save()
    if Change.objects.filter(cycle=cycle, kind__in=(ChangeKind.CREATE, ChangeKind.RESTORE)).exists():
        single.list_groups_of(configuration.pk, guid)
    if not Change.objects.filter(cycle=cycle).exists():
        single.needs_nothing(source_id)


def _write(cycle: Cycle) -> None:
    """Do what the workers do, in this process; should it die, the watchdog hands the rest to them."""
    waiting = deque(exporting.begin_export(cycle.pk))
    while waiting:
        hint: Hint = waiting.popleft()
        if hint.step is Step.EXPORT:
            waiting.extend(exporting.export(hint.cycle, Phase(hint.phase), hint.batch))
        else:
            _tell_if_nothing_was_done(cycle)
            settling.settle(hint.cycle)


def _tell_if_nothing_was_done(cycle: Cycle) -> None:
    done = Cycle.objects.values_list("count_exported", "count_failed").get(pk=cycle.pk)
    if not any(done) and cycle.source_id is not None:
        is_wanted = single.of(cycle.source_id).is_wanted
        reason = (REDUNDANT, _REDUNDANT_TOLD) if is_wanted else (_OUT_OF_SCOPE, _OUT_OF_SCOPE_TOLD)
        single.log_skipped(cycle.pk, cycle.source_id, *reason, clock())

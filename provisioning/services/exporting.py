"""Step 6: write the plan to the target, batch by batch, phase after phase."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F

from provisioning.engine.plan import UPDATE
from provisioning.models import Cycle, CycleKind, CycleStep, ObjectType
from provisioning.services import reading
from provisioning.services.clock import now as clock
from provisioning.services.hints import Hint, Step
from provisioning.services.phases import BATCH_SIZE, Phase
from provisioning.store import (
    batches,
    changes,
    creations,
    durability,
    handing_over,
    locks,
    members,
    neighbours,
    references,
    statistics,
)
from provisioning.store.batches import Batch
from provisioning.targets.base import Target
from provisioning.targets.registry import open_target

Applied = tuple[int, int]


def begin_export(cycle_id: int) -> list[Hint]:
    """Hints for the first phase that has anything to do."""
    return resume(cycle_id, Phase.BEFORE)


def export(cycle_id: int, phase: Phase, batch: int) -> list[Hint]:
    """Apply one batch; hints for the next phase when it was the last of its own."""
    with transaction.atomic():
        if not locks.lock_batch(cycle_id, phase, batch):
            return []
        cycle = (
            Cycle.objects.filter(pk=cycle_id, step=CycleStep.EXPORTING, export_phase=phase)
            .select_related("job__configuration__domain", "job__configuration__target")
            .defer("job__configuration__schema")
            .first()
        )
        if cycle is None:
            return []
        now = clock()
        applied, failed = _apply(cycle, phase, batch, now)
        Cycle.objects.filter(pk=cycle_id).update(
            count_exported=F("count_exported") + applied,
            count_failed=F("count_failed") + failed,
            moved_at=now,
        )
    # Asked after the commit: of two batches that end together, the later one sees both done.
    return [] if batches.has_open(cycle_id, phase) else _advance(cycle_id, phase)


def resume(cycle_id: int, phase: Phase) -> list[Hint]:
    """Hints for what a phase still has to do, for a cycle that stalled in it."""
    open_batches = batches.open_batches(cycle_id, phase)
    return _hints(cycle_id, phase, open_batches) if open_batches else _advance(cycle_id, phase)


def _advance(cycle_id: int, done: Phase) -> list[Hint]:
    """Move on to the next phase that has anything to do; of several workers that find one finished, one moves."""
    with transaction.atomic():
        cycle = (
            Cycle.objects.select_for_update()
            .filter(pk=cycle_id, step=CycleStep.EXPORTING, export_phase=done)
            .only("count_exported")
            .first()
        )
        if cycle is None:
            return []
        if done is Phase.OBJECTS:
            statistics.after_writing(cycle.count_exported)
        following, numbers = _next_open(cycle_id, done)
        Cycle.objects.filter(pk=cycle_id).update(
            export_phase=following,
            moved_at=clock(),
            **({"step": CycleStep.SETTLING} if following is Phase.DONE else {}),
        )
    return _hints(cycle_id, following, numbers) if numbers else [Hint(Step.SETTLE, cycle_id)]


def _next_open(cycle_id: int, done: Phase) -> tuple[Phase, list[int]]:
    """The next phase with open batches, and these."""
    for number in range(done + 1, Phase.DONE):
        phase = Phase(number)
        _prepare(cycle_id, phase)
        if numbers := batches.open_batches(cycle_id, phase):
            return phase, numbers
    return Phase.DONE, []


def _prepare(cycle_id: int, phase: Phase) -> None:
    """What can be planned only now: references need the objects that the phase before has created."""
    if phase is Phase.REFERENCES:
        known = Cycle.objects.select_related("job__configuration__domain")
        cycle = known.defer("job__configuration__schema").get(pk=cycle_id)
        configuration = cycle.job.configuration
        others = neighbours.of(configuration)
        if cycle.count_planned:
            references.wake(cycle_id, configuration.target_id, [configuration.pk, *others])
            neighbours.tell_arrivals(configuration, cycle_id, others)
        if cycle.kind == CycleKind.UNDO:
            return  # It sets old references, which were planned with everything else.
        reader = reading.of(configuration)
        updated = [int(one) for one in ObjectType if UPDATE in reader.flows(one)]
        references.plan(
            configuration.pk,
            cycle_id,
            Phase.REFERENCES,
            BATCH_SIZE,
            updated,
            kept=reader.kept_references(),
            target=configuration.target_id,
            only=cycle.source_id,
            others=others,
        )


def _hints(cycle_id: int, phase: Phase, numbers: list[int]) -> list[Hint]:
    return [Hint(Step.EXPORT, cycle_id, phase, number) for number in numbers]


def _apply(cycle: Cycle, phase: Phase, batch: int, now: datetime) -> Applied:
    target = open_target(cycle.job.configuration.target, now)
    if target.shares_transaction:
        durability.not_now()
    apply: Callable[[Cycle, Target, Batch, datetime], Applied] = {
        Phase.BEFORE: _apply_withdrawals,
        Phase.OBJECTS: _apply_changes,
        Phase.REFERENCES: _apply_references,
        Phase.MEMBERSHIPS: _apply_members,
        Phase.DELETIONS: _apply_deletions,
    }[phase]
    return apply(cycle, target, Batch(cycle.pk, phase, batch), now)


def _apply_withdrawals(cycle: Cycle, target: Target, batch: Batch, now: datetime) -> Applied:
    written = _apply_changes(cycle, target, batch, now)
    changes.forget_references(batch, now)
    return written


def _apply_deletions(cycle: Cycle, target: Target, batch: Batch, now: datetime) -> Applied:
    if cycle.kind != CycleKind.UNDO:
        configuration = cycle.job.configuration
        handing_over.before_deletions(
            configuration.pk, configuration.target_id, cycle.pk, batch.phase, batch.number, now
        )
    written = _apply_changes(cycle, target, batch, now)
    changes.forget_references(batch, now)
    return written


def _apply_changes(cycle: Cycle, target: Target, batch: Batch, now: datetime) -> Applied:
    configuration = cycle.job.configuration
    reader = reading.of(configuration)
    rules = {kind: reader.rules(kind) for kind in ObjectType}
    staged = creations.stage(configuration.pk, batch, target.references_at_creation, rules)
    # First what is there: a new object may take over a name that another one gives up.
    others = target.apply(changes.read_batch(batch))
    if staged.count:
        creations.settle(configuration.pk, target.create(staged))
    is_wanted_by_ad = cycle.kind != CycleKind.UNDO
    return changes.record(
        configuration.pk, batch, others, reader.redacted, now, is_wanted_by_ad=is_wanted_by_ad
    )


def _apply_references(cycle: Cycle, target: Target, batch: Batch, now: datetime) -> Applied:
    configuration = cycle.job.configuration
    home = [configuration.pk, *neighbours.of(configuration)]
    outcomes = target.set_references(references.read_batch(batch, home))
    return references.record(cycle.job.configuration_id, batch, outcomes, now)


def _apply_members(cycle: Cycle, target: Target, batch: Batch, now: datetime) -> Applied:
    staged = members.take_batch(cycle.pk, batch.number)
    failures = target.change_members(staged)
    return members.record(cycle.job.configuration_id, cycle.pk, batch.number, staged, failures, now)

"""Step 5: one comparison of what is wanted with what was last exported; the guard looks before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import orjson
from django.db import transaction

from provisioning.engine import guard
from provisioning.engine.plan import ADD, DELETE, UPDATE, Action, allowed_flows, decide
from provisioning.engine.schema.model import FlowType
from provisioning.models import (
    Change,
    ChangeStatus,
    Configuration,
    Cycle,
    CycleKind,
    CycleStep,
    Job,
    NestedGroups,
    ObjectType,
)
from provisioning.services import coverage, guarding, holding, reading, reevaluating, undoing
from provisioning.services.clock import now as clock
from provisioning.services.exporting import begin_export
from provisioning.services.hints import Hint
from provisioning.services.phases import BATCH_SIZE, FILL_BATCH_SIZE, MEMBER_BATCH_SIZE, Phase
from provisioning.services.reading import Reading
from provisioning.store import (
    creations,
    escrow,
    foreign,
    handing_over,
    locks,
    logs,
    member_plan,
    neighbours,
    nested_groups,
    planning,
    primary_groups,
    removals,
    scope_names,
    staging,
    statistics,
)
from provisioning.store.member_plan import BatchSizes
from provisioning.store.planning import DirtyObject, PlannedChange
from provisioning_agent.wire.shape import DELETIONS_COMPARED

_NOTHING = "{}"
_PHASE_OF = {
    Action.CREATE: Phase.OBJECTS,
    Action.UPDATE: Phase.OBJECTS,
    Action.DISABLE: Phase.OBJECTS,
    Action.RESTORE: Phase.OBJECTS,
    Action.DELETE: Phase.DELETIONS,
}


def plan(cycle_id: int) -> list[Hint]:
    """Plan the cycle; hints for its first exports, or for settling when there is nothing to do."""
    with locks.cycle_lock(cycle_id) as owned:
        if not owned:
            return []
        cycle = (
            Cycle.objects.filter(pk=cycle_id, step=CycleStep.PLANNING)
            .select_related("job__configuration__domain")
            .defer("job__configuration__schema")
            .first()
        )
        if cycle is None:
            return []
        statistics.after_reading(cycle.count_imported)
        with transaction.atomic():
            before = cycle.job.evaluated_as
            held = _plan_undo(cycle, clock()) if cycle.kind == CycleKind.UNDO else _plan(cycle, clock())
            if cycle.job.evaluated_as != before:
                Job.objects.filter(pk=cycle.job_id).update(evaluated_as=cycle.job.evaluated_as)
    return [] if held else begin_export(cycle_id)


def _plan(cycle: Cycle, now: datetime) -> bool:
    """Write the plan; true when the guard holds it."""
    configuration = cycle.job.configuration_id
    planning.clear(cycle.pk)
    looks_at_all = cycle.kind == CycleKind.INITIAL or cycle.job.has_unmarked
    if cycle.kind == CycleKind.INITIAL or DELETIONS_COMPARED in cycle.notes:
        planning.mark_unseen(configuration, cycle.pk, now)
        planning.mark_differing(configuration, missing=not looks_at_all)
        foreign.forget_unused(configuration)
    if cycle.kind == CycleKind.INITIAL:
        scope_names.forget_untold(configuration, cycle.pk)
    staging.forget_seen(cycle.pk)
    reader = reading.of(cycle.job.configuration)
    is_evaluated = _evaluate(cycle, reader, now)
    reevaluating.due(configuration, reader, cycle.pk, now)
    if cycle.count_imported or is_evaluated:
        primary_groups.derive(configuration, neighbours.of_domain(cycle.job.configuration))
    handing_over.before_plan(configuration, cycle.job.configuration.target_id, cycle.pk, now)
    skips = cycle.job.configuration.skip_out_of_scope_deletions
    adding = [int(one) for one in ObjectType if ADD in reader.flows(one)]
    planned: Counter[Phase] = Counter()
    planned[Phase.OBJECTS] = creations.plan(
        configuration, cycle.pk, Phase.OBJECTS, BATCH_SIZE, adding, now, everything=looks_at_all
    )
    for dirty in planning.dirty_objects(configuration, now):
        planning.store(cycle.pk, decisions(dirty, reader, skips, planned))
    statistics.after_planning(planned.total())
    members = plan_members(cycle, reader)
    statistics.after_planning_memberships(members)
    planning.clean_unchanged(configuration, cycle.pk)
    escrow.release_clean(configuration)
    escrow.keep_failed_plan(cycle.pk, now)
    logs.write_failed_at_plan(configuration, cycle.pk, now)
    return _look(cycle, members, now)


def _plan_undo(cycle: Cycle, now: datetime) -> bool:
    """Write the plan of an undo; true when the guard holds it."""
    planning.clear(cycle.pk)
    members = undoing.plan(cycle, now)
    statistics.after_planning_memberships(members)
    return _look(cycle, members, now)


def _evaluate(cycle: Cycle, reader: Reading, now: datetime) -> bool:
    """Where scope or mapping are others than those of the stored objects: look at all of these; true when done."""
    job = cycle.job
    if job.evaluated_as == reader.digest:
        return False
    if cycle.kind != CycleKind.INITIAL or cycle.read_as != reader.digest:
        if coverage.gaps(job, reader.question):
            # A full read follows.
            return False
        reevaluating.everything(job, reader, cycle.pk, now)
    is_another = bool(job.evaluated_as)
    if is_another:
        planning.mark_all(job.configuration_id)
        nested_groups.mark_all(job.configuration_id)
    job.evaluated_as = reader.digest
    return is_another


def plan_members(cycle: Cycle, reader: Reading) -> int:
    """Plan the memberships, of the one object that a cycle on demand is about; returns how many."""
    configuration: Configuration = cycle.job.configuration
    kept = [
        int(one)
        for one in ObjectType
        if configuration.skip_out_of_scope_deletions or DELETE not in reader.flows(one)
    ]
    flattens = configuration.nested_groups == NestedGroups.FLATTEN
    others = neighbours.of(configuration)
    homes = neighbours.of_members(configuration, others, flattens=flattens)
    neighbours.tell_changes(configuration, cycle.pk, others)
    neighbours.take_arrivals(configuration.pk)
    if configuration.nested_groups != configuration.planned_nested_groups:
        nested_groups.mark_all(configuration.pk)
        Configuration.objects.filter(pk=configuration.pk).update(
            planned_nested_groups=configuration.nested_groups
        )
    if flattens:
        nested_groups.widen(configuration.pk, cycle.pk, homes.others, foreign=homes.foreign)
    flow = reader.members
    return member_plan.write(
        configuration.pk,
        cycle.pk,
        BatchSizes(MEMBER_BATCH_SIZE, FILL_BATCH_SIZE),
        adds=flow in (FlowType.VALUE_ADD_ONLY, FlowType.MULTI_VALUE_ADD_ONLY),
        fills=flow is FlowType.ATTRIBUTE_ADD_ONLY,
        flattens=flattens,
        foreign=homes.foreign,
        others=homes.others,
        updates_groups=UPDATE in reader.flows(ObjectType.GROUP) and flow is not FlowType.OBJECT_ADD_ONLY,
        kept=kept,
        only=cycle.source_id,
    )


def decisions(
    dirty: Iterable[DirtyObject], reader: Reading, skips: bool, planned: Counter[Phase]
) -> Iterator[PlannedChange]:
    """Decide object by object; ``planned`` counts on from call to call, to number batches within each phase."""
    for one in dirty:
        change = _decide(one, reader, skips)
        if change is not None:
            kind, phase, old, new = change
            batch = planned[phase] // BATCH_SIZE
            planned[phase] += 1
            yield PlannedChange(one.source_id, one.object_type, kind, phase, batch, old, new, *_failure(one))


def _failure(one: DirtyObject) -> tuple[str, str, str]:
    if one.error_code and one.is_wanted:
        return ChangeStatus.FAILED, one.error_code, one.error_detail
    return ChangeStatus.PLANNED, "", ""


def _decide(one: DirtyObject, reader: Reading, skips: bool) -> tuple[str, Phase, str, str] | None:
    if one.error_code and one.is_wanted:
        # The mapping failed: the target is left as it is, and the failure is logged.
        kind = Action.CREATE if one.wanted is None else Action.UPDATE
        return kind, Phase.OBJECTS, _NOTHING, _NOTHING
    decision = decide(
        is_wanted=one.is_wanted,
        link=one.link,
        wanted=orjson.loads(one.wanted) if one.wanted else {},
        exported=orjson.loads(one.exported) if one.exported else {},
        clears=reader.clears(one.object_type),
        rules=reader.rules(one.object_type),
        flows=allowed_flows(
            reader.flows(one.object_type),
            gone_reason=one.gone_reason,
            skips_out_of_scope_deletions=skips,
        ),
    )
    if decision is None:
        return None
    old, new = (orjson.dumps(part).decode() for part in (decision.old, decision.new))
    return decision.action, _PHASE_OF[decision.action], old, new


def _look(cycle: Cycle, planned_members: int, now: datetime) -> bool:
    """Let the guard look at the plan and move the cycle on, or hold it."""
    counts = removals.planned(cycle.pk)
    failed = Change.objects.filter(cycle=cycle, status=ChangeStatus.FAILED).count()
    settings = guarding.settings_of(cycle.job.configuration)
    taken = guarding.removals_of(cycle, counts, planned_members, settings)
    allowed = Job.objects.values_list("deletes_allowed", flat=True).get(pk=cycle.job_id)
    held = guard.holds(taken, settings, allowed_by_person=allowed)
    Cycle.objects.filter(pk=cycle.pk).update(
        step=CycleStep.HELD if held else CycleStep.EXPORTING,
        export_phase=Phase.BEFORE,
        count_planned=sum(counts.values()) + planned_members,
        count_failed=failed,
        moved_at=now,
    )
    if held:
        holding.hold(cycle, taken, guard.breaches(taken, settings), now)
    return held

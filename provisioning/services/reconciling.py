"""Reconciling: read the target, compare it with what was last exported, report what differs, repair it when asked.

A run is a cycle of its own kind, so that it and every other cycle of the job keep out of each other's way. While it
compares and marks, it works in slices of about a second, each of many small transactions: a crash costs the chunk it
was at, and provisioning on demand finds its moment between two slices. A repair marks what drifted
(:mod:`provisioning.store.repairing`); the plan, the guard and the export of the cycle do the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from provisioning.engine import drift as decisions
from provisioning.engine import guard
from provisioning.engine.explaining import REDACTED
from provisioning.engine.plan import UPDATE, allowed_flows
from provisioning.models import (
    ChangeKind,
    Configuration,
    Cycle,
    CycleStep,
    DriftKind,
    ObjectType,
    Reconciliation,
    ReconciliationMode,
    ReconciliationState,
)
from provisioning.models.reconciliation import NEVER_REPAIRED
from provisioning.services import guarding, holding, notifications, reading
from provisioning.services.clock import now as clock
from provisioning.services.hints import Hint, Step
from provisioning.services.reading import Reading
from provisioning.store import drift, locks, repairing
from provisioning.store.drift import Chunk, Difference, Finding, Scope

# Links compared, and findings marked, in one transaction.
CHUNK: Final = 5_000
_SLICE_S: Final = 1.0
# How long a slice waits for somebody who holds the cycle for a moment.
_PATIENCE_S: Final = 5.0
_MEMBERSHIPS: Final = ("membershipMissing", "membershipExtra", "membershipForeign")
_NOTHING_REPAIRED: Final = (
    "Nothing was repaired. Look at what was found; to let the repair go ahead, raise the limit for its time."
)


def go_on(cycle_id: int) -> list[Hint]:
    """Compare or mark for about a second; hints for what follows."""
    with locks.cycle_lock(cycle_id, wait_s=_PATIENCE_S) as owned:
        if not owned:
            return [Hint(Step.RECONCILE, cycle_id)]
        until = time.monotonic() + _SLICE_S
        hints = None
        while hints is None:
            with transaction.atomic():
                hints = _step(cycle_id)
            if hints is None and time.monotonic() > until:
                hints = [Hint(Step.RECONCILE, cycle_id)]
        return hints


def _step(cycle_id: int) -> list[Hint] | None:
    """One chunk; None while there may be another one."""
    run = (
        Reconciliation.objects.select_for_update(of=("self",))
        .filter(cycle_id=cycle_id, cycle__step=CycleStep.READING)
        .select_related("configuration__domain", "cycle")
        .defer("configuration__schema")
        .first()
    )
    if run is None or run.cycle is None:
        return []
    now = clock()
    drift.go_by_index()
    Cycle.objects.filter(pk=cycle_id).update(moved_at=now)
    if run.state == ReconciliationState.MARKING:
        return _mark(run, run.cycle, now)
    return _compare(run, run.cycle, now)


def _compare(run: Reconciliation, cycle: Cycle, now: datetime) -> list[Hint] | None:
    scope = drift.scope_of(run.configuration)
    chunk = drift.next_chunk(scope, run.position, CHUNK)
    if chunk is None:
        return _compared(run, cycle, now)
    reader = reading.of(run.configuration)
    _compare_objects(run, scope, chunk, reader)
    if UPDATE in reader.flows(ObjectType.GROUP):
        counted = drift.memberships(run.pk, scope, chunk, {kind: _room(run, kind) for kind in _MEMBERSHIPS})
        for kind, count in counted.items():
            _count(run, kind, ObjectType.GROUP, count)
    run.position = chunk.last
    run.count_compared += chunk.links
    run.save(update_fields=["position", "count_compared", "count_disables", "counts"])
    return None


def _compare_objects(run: Reconciliation, scope: Scope, chunk: Chunk, reader: Reading) -> None:
    room = {kind: _room(run, kind) for kind in DriftKind}
    kept = []
    for one in drift.objects(scope, chunk, _clears(reader)):
        for finding in _findings(one, run.configuration, reader):
            _count(run, finding.kind, ObjectType(one.object_type), 1)
            room[DriftKind(finding.kind)] -= 1
            if room[DriftKind(finding.kind)] >= 0:
                kept.append(finding)
            if finding.kind == DriftKind.CHANGED and decisions.would_disable(one.names):
                run.count_disables += 1
    if kept:
        drift.keep(run.pk, kept)


def _findings(one: Difference, configuration: Configuration, reader: Reading) -> Iterator[Finding]:
    flows = allowed_flows(
        reader.flows(one.object_type),
        gone_reason=one.gone_reason,
        skips_out_of_scope_deletions=configuration.skip_out_of_scope_deletions,
    )
    if one.standing != "here":
        if decisions.is_ours(one.standing, flows):
            yield Finding(one.standing, one)
        return
    names = decisions.drifted(one.names, reader.rules(one.object_type))
    if names and decisions.is_ours(DriftKind.CHANGED, flows):
        yield Finding(DriftKind.CHANGED, one, _told(names, frozenset(reader.redacted)))
    if one.manager is not None and decisions.is_ours(DriftKind.REFERENCE, flows):
        detail = {"name": drift.MANAGER, "written": one.manager, "held": one.held_manager}
        yield Finding(DriftKind.REFERENCE, one, [detail])


def _told(names: dict[str, tuple[Any, Any]], hidden: frozenset[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "written": REDACTED if name in hidden else written,
            "held": REDACTED if name in hidden else held,
        }
        for name, (written, held) in sorted(names.items())
    ]


def _clears(reader: Reading) -> dict[int, list[str]]:
    return {int(one): sorted(reader.clears(one)) for one in ObjectType}


def _count(run: Reconciliation, kind: str, object_type: ObjectType, count: int) -> None:
    by_type = run.counts.setdefault(str(kind), {})
    by_type[object_type.label] = by_type.get(object_type.label, 0) + count


def _room(run: Reconciliation, kind: str) -> int:
    """How many findings of a kind are still kept; a repair needs those that it repairs, until they are marked."""
    if run.mode == ReconciliationMode.REPAIR and kind not in NEVER_REPAIRED:
        return drift.EVERYTHING
    found: int = sum(run.counts.get(kind, {}).values())
    return max(0, drift.LISTED - found)


def _compared(run: Reconciliation, cycle: Cycle, now: datetime) -> list[Hint]:
    """Everything is compared: the run ends with its report, or the repair begins."""
    ours = sum(sum(run.counts.get(kind, {}).values()) for kind in DriftKind if kind not in NEVER_REPAIRED)
    if run.mode == ReconciliationMode.REPORT or not ours:
        return _end(run, cycle, ReconciliationState.DONE, now)
    settings = guarding.settings_of(run.configuration)
    taken = removals_of(run, settings)
    if guard.holds(taken, settings, allowed_by_person=False):
        breaches = "; ".join(guard.breaches(taken, settings))
        run.error_code = holding.TOO_MANY_DELETES
        run.error_detail = f"{holding.told('This repair', taken)} That is {breaches}. {_NOTHING_REPAIRED}"
        return _end(run, cycle, ReconciliationState.REFUSED, now)
    run.state = ReconciliationState.MARKING
    run.save(update_fields=["state"])
    return [Hint(Step.RECONCILE, cycle.pk)]


def removals_of(run: Reconciliation, settings: guard.GuardSettings) -> guard.Removals:
    """What mending everything that was found would take away."""
    planned = {
        (kind, ChangeKind.DELETE.value): count
        for kind, count in run.counts.get(DriftKind.RETURNED, {}).items()
    }
    planned[ObjectType.USER.label, ChangeKind.DISABLE.value] = run.count_disables
    ended = sum(run.counts.get(DriftKind.MEMBERSHIP_EXTRA, {}).values())
    return guarding.counted(run.configuration_id, planned, ended, settings)


def _mark(run: Reconciliation, cycle: Cycle, now: datetime) -> list[Hint] | None:
    siblings = list(drift.scope_of(run.configuration).siblings)
    clears = _clears(reading.of(run.configuration))
    last = repairing.mark(run.pk, siblings, clears, run.marked, CHUNK, now)
    if last is not None:
        run.marked = last
        run.save(update_fields=["marked"])
        return None
    run.state = ReconciliationState.REPAIRING
    run.save(update_fields=["state"])
    _tell(run, now)
    drift.prune(run.pk)
    Cycle.objects.filter(pk=cycle.pk).update(step=CycleStep.PLANNING)
    return [Hint(Step.PLAN, cycle.pk)]


def _end(run: Reconciliation, cycle: Cycle, state: ReconciliationState, now: datetime) -> list[Hint]:
    """Nothing is written: the cycle ends."""
    run.state = state
    run.save(update_fields=["state", "error_code", "error_detail"])
    _tell(run, now)
    drift.prune(run.pk)
    Cycle.objects.filter(pk=cycle.pk).update(step=CycleStep.SETTLING)
    return [Hint(Step.SETTLE, cycle.pk)]


def _tell(run: Reconciliation, now: datetime) -> None:
    """One mail about drift that nobody was waiting to see."""
    if run.is_scheduled and run.total:
        notifications.drift_found(run, now)

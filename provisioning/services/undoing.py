"""Undoing a cycle: the old values of what it wrote, put back by a cycle of its own.

It is planned from what the cycle has left behind, looked at by the delete guard, written and logged like any other
cycle, and can be undone itself. The job is paused by it: Active Directory still says what it said.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from provisioning.engine import guard
from provisioning.engine.plan import Action
from provisioning.engine.undo import REFERENCE, Conflict, Reversal, decide_undo
from provisioning.errors import ERRORS
from provisioning.models import ChangeStatus, Cycle, CycleKind, CycleStep, JobState, ObjectType, TargetKind
from provisioning.services import guarding, jobs
from provisioning.services.hints import Hint, Step
from provisioning.services.jobs import JobRefused
from provisioning.services.phases import BATCH_SIZE, MEMBER_BATCH_SIZE, Phase
from provisioning.store import neighbours, planning, previews, statistics, undo
from provisioning.store.planning import PlannedChange
from provisioning.store.undo import WrittenObject

_PHASE_OF: Final = {
    Action.DELETE: Phase.BEFORE,
    Action.UPDATE: Phase.OBJECTS,
    Action.DISABLE: Phase.OBJECTS,
    Action.RESTORE: Phase.OBJECTS,
    REFERENCE: Phase.REFERENCES,
}
_ENDED: Final = (CycleStep.DONE, CycleStep.FAILED)
_NOTHING: Final = "{}"


@dataclass(frozen=True, slots=True)
class Preview:
    """What an undo would do: changes and conflicts by (object type, kind or code), and memberships.

    ``unchanged`` things are as they were before already. ``held_for`` names the limits of the delete guard that it
    would reach.
    """

    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    unchanged: int = 0
    memberships_added: int = 0
    memberships_removed: int = 0
    held_for: tuple[str, ...] = ()

    @property
    def does_nothing(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.changes or self.memberships_added or self.memberships_removed)

    @property
    def fingerprint(self) -> str:
        """The same for two previews that say the same."""
        told = [sorted(self.changes.items()), sorted(self.conflicts.items())]
        memberships = [self.memberships_added, self.memberships_removed]
        return hashlib.sha256(orjson.dumps([*told, memberships])).hexdigest()[:16]


def preview(cycle: Cycle, now: datetime) -> Preview:
    """What undoing this cycle would do now; raises :class:`JobRefused`. Not within a transaction."""
    refuse_where_impossible(cycle)
    with previews.nothing_is_written():
        return _preview(cycle, now)


def start(cycle: Cycle, now: datetime, *, fingerprint: str = "") -> tuple[Cycle, list[Hint]]:
    """Begin to undo the cycle; the undo's own cycle, and the hints that set it moving.

    With the ``fingerprint`` of a preview it begins only if it would do just what was shown then. Raises
    :class:`JobRefused`.
    """
    with jobs.lock(cycle.job) as locked:
        if locked.state == JobState.HELD:
            raise JobRefused("JobHeld")
        if locked.current_cycle_id is not None:
            raise JobRefused("CycleUnderWay")
        refuse_where_impossible(cycle)
        if fingerprint and _preview(cycle, now).fingerprint != fingerprint:
            raise JobRefused("UndoHasChanged")
        begun = Cycle.objects.create(
            job=locked,
            kind=CycleKind.UNDO,
            step=CycleStep.PLANNING,
            undoes=cycle,
            started_at=now,
            moved_at=now,
        )
        locked.current_cycle = begun
        jobs.pause_after_undo(locked, cycle.pk, now)
        locked.save()
    return begun, [Hint(Step.PLAN, begun.pk)]


def plan(cycle: Cycle, now: datetime) -> int:
    """Write the plan of an undo, within the caller's transaction; returns how many memberships it has."""
    undone = cycle.undoes_id
    if undone is None:
        return 0  # The cycle was forgotten meanwhile: nothing is known of what it wrote.
    planned: Counter[Phase] = Counter()
    for chunk in undo.written(undone, home_of(cycle), now):
        planning.store(cycle.pk, _changes(chunk, planned))
    statistics.after_planning(planned.total())
    undo.log_skipped(cycle.pk, now)
    return undo.plan_memberships(undone, cycle.pk, MEMBER_BATCH_SIZE)


def home_of(cycle: Cycle) -> list[UUID]:
    """The configurations in which that may be what an object refers to."""
    configuration = cycle.job.configuration
    return [configuration.pk, *neighbours.of(configuration)]


def refuse_where_impossible(cycle: Cycle) -> None:
    """Raise :class:`JobRefused` for a cycle that can not be undone at all."""
    if cycle.job.configuration.target.kind != TargetKind.DIRECTORY:
        raise JobRefused("UndoNotReadable")
    if cycle.step not in _ENDED or not cycle.keeps_traces:
        raise JobRefused("CycleNotUndoable")


def _preview(cycle: Cycle, now: datetime) -> Preview:
    changes: Counter[tuple[str, str]] = Counter()
    conflicts: Counter[tuple[str, str]] = Counter()
    unchanged = 0
    for chunk in undo.written(cycle.pk, home_of(cycle), now):
        for one in chunk:
            kind = ObjectType(one.object_type).label
            match decide_undo(one.written, one.present):
                case Conflict() as conflict:
                    conflicts[kind, conflict.value] += 1
                case Reversal() as reversal:
                    changes[kind, reversal.kind] += 1
                case None:
                    unchanged += 1
    added, removed = undo.count_memberships(cycle.pk)
    configuration = cycle.job.configuration
    limits = guarding.settings_of(configuration)
    held = guard.breaches(guarding.counted(configuration.pk, changes, removed, limits), limits)
    return Preview(changes, conflicts, unchanged, added, removed, tuple(held))


def _changes(chunk: Iterable[WrittenObject], planned: Counter[Phase]) -> Iterator[PlannedChange]:
    """Changes to be written, and those that are left alone, with the reason."""
    for one in chunk:
        match decide_undo(one.written, one.present):
            case Conflict() as conflict:
                yield _left_alone(one, conflict)
            case Reversal() as reversal:
                phase = _PHASE_OF[reversal.kind]
                batch = planned[phase] // BATCH_SIZE
                planned[phase] += 1
                old, new = (orjson.dumps(part).decode() for part in (reversal.old, reversal.new))
                yield PlannedChange(one.source_id, one.object_type, reversal.kind, phase, batch, old, new)


def _left_alone(one: WrittenObject, conflict: Conflict) -> PlannedChange:
    return PlannedChange(
        one.source_id,
        one.object_type,
        one.written.kind,
        Phase.DONE,
        0,
        _NOTHING,
        _NOTHING,
        ChangeStatus.SKIPPED,
        conflict,
        ERRORS[conflict],
    )

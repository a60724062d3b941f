"""Which batches of a phase still have something to do."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import QuerySet

from provisioning.models import Change, ChangeStatus, GroupFill, MemberChange

# Phases are numbered by the service that orders them; memberships have tables of their own.
MEMBERSHIPS_PHASE = 3


class Batch(NamedTuple):
    """One batch of planned changes."""

    cycle: int
    phase: int
    number: int

    def parameters(self) -> dict[str, int]:
        """As statements take it."""
        return {"cycle": self.cycle, "phase": self.phase, "batch": self.number}


def open_batches(cycle: int, phase: int) -> list[int]:
    """Numbers of the batches that hold planned changes."""
    numbers: set[int] = set()
    for planned in _planned(cycle, phase):
        numbers.update(planned.order_by().values_list("batch", flat=True).distinct())
    return sorted(numbers)


def has_open(cycle: int, phase: int) -> bool:
    """Whether anything of this phase is still planned: the last batch first, for batches are done in their order."""
    last = (one.order_by("-batch").values_list("batch", flat=True).first() for one in _planned(cycle, phase))
    return any(number is not None for number in last)


def _planned(cycle: int, phase: int) -> list[QuerySet[Change] | QuerySet[MemberChange] | QuerySet[GroupFill]]:
    if phase == MEMBERSHIPS_PHASE:
        compared = MemberChange.objects.filter(cycle_id=cycle, status=ChangeStatus.PLANNED)
        return [compared, GroupFill.objects.filter(cycle_id=cycle)]
    return [Change.objects.filter(cycle_id=cycle, phase=phase, status=ChangeStatus.PLANNED)]

"""Which batches of a phase still have something to do."""

from __future__ import annotations

from typing import NamedTuple

from django.db.models import QuerySet

from provisioning.models import Change, ChangeStatus, MemberChange

# Phases are numbered by the service that orders them; memberships have a table of their own.
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
    return list(_planned(cycle, phase).order_by("batch").values_list("batch", flat=True).distinct())


def has_open(cycle: int, phase: int) -> bool:
    """Whether anything of this phase is still planned: the last batch first, for batches are done in their order."""
    return _planned(cycle, phase).order_by("-batch").values_list("batch", flat=True).first() is not None


def _planned(cycle: int, phase: int) -> QuerySet[Change] | QuerySet[MemberChange]:
    if phase == MEMBERSHIPS_PHASE:
        return MemberChange.objects.filter(cycle_id=cycle, status=ChangeStatus.PLANNED)
    return Change.objects.filter(cycle_id=cycle, phase=phase, status=ChangeStatus.PLANNED)

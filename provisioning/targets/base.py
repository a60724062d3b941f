"""The protocol every target speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from provisioning.models import ObjectType
from provisioning.store.outbound import (
    ObjectChange,
    Outcome,
    ReferenceChange,
    StagedCreations,
    StagedMemberships,
)


class Target(Protocol):
    """A place that changes are written to. Failures of single objects are outcomes, never exceptions."""

    @property
    def shares_transaction(self) -> bool:
        """Whether its writes commit together with our bookkeeping."""

    @property
    def references_at_creation(self) -> Mapping[str, Sequence[ObjectType]]:
        """Reference attributes that :meth:`create` writes, with the types that have them."""

    def create(self, staged: StagedCreations) -> list[Outcome]:
        """Create objects; outcomes of those that failed, or exist under another id than the proposed one."""

    def apply(self, changes: Sequence[ObjectChange]) -> list[Outcome]:
        """Write other changes of objects, of any type and kind."""

    def set_references(self, changes: Sequence[ReferenceChange]) -> list[Outcome]:
        """Write reference attributes, both ends of which exist."""

    def change_members(self, staged: StagedMemberships) -> list[Outcome]:
        """Add and remove memberships, both ends of which exist; outcomes of those that failed."""

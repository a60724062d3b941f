"""The protocol every target speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from provisioning.store.outbound import ObjectChange, Outcome, ReferenceChange, StagedMemberships


class Target(Protocol):
    """A place that changes are written to. Failures of single objects are outcomes, never exceptions."""

    @property
    def shares_transaction(self) -> bool:
        """Whether its writes commit together with our bookkeeping."""

    def apply(self, changes: Sequence[ObjectChange]) -> list[Outcome]:
        """Write changes of objects, of any type and kind."""

    def set_references(self, changes: Sequence[ReferenceChange]) -> list[Outcome]:
        """Write reference attributes, both ends of which exist."""

    def change_members(self, staged: StagedMemberships) -> list[Outcome]:
        """Add and remove memberships, both ends of which exist; outcomes of those that failed."""

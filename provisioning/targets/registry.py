"""From a configured target to its adapter."""

from __future__ import annotations

from datetime import datetime

from provisioning.models import Target as TargetRow
from provisioning.models import TargetKind
from provisioning.targets.base import Target
from provisioning.targets.directory import DirectoryTarget, policy_of


def open_target(row: TargetRow, now: datetime) -> Target:
    """The adapter for a configured target."""
    match TargetKind(row.kind):
        case TargetKind.DIRECTORY:
            return DirectoryTarget(now, policy_of(row.settings))

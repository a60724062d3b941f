"""What the delete guard has to look at: the limits of a configuration and the removals of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from provisioning.engine import guard
from provisioning.models import ChangeKind, Configuration, Cycle
from provisioning.store import removals

_REMOVING = (ChangeKind.DELETE.value, ChangeKind.DISABLE.value)


def settings_of(configuration: Configuration) -> guard.GuardSettings:
    """The limits that a configuration sets."""
    limits = {
        kind: guard.Limit(
            getattr(configuration, f"{kind}_delete_threshold"),
            getattr(configuration, f"{kind}_delete_percent"),
        )
        for kind in guard.KINDS
    }
    return guard.GuardSettings(configuration.delete_threshold_enabled, configuration.delete_threshold, limits)


def removals_of(
    cycle: Cycle, planned: Mapping[tuple[str, str], int], planned_members: int, settings: guard.GuardSettings
) -> guard.Removals:
    """What the plan takes away; ``planned`` counts changes by (object type, kind of change)."""
    ended = removals.planned_memberships(cycle.pk) if planned_members else 0
    return counted(cycle.job.configuration_id, planned, ended, settings)


def counted(
    configuration: UUID,
    planned: Mapping[tuple[str, str], int],
    ended_memberships: int,
    settings: guard.GuardSettings,
) -> guard.Removals:
    """The same from counts alone. What the target holds is counted only where a percentage asks for it."""
    by_kind: Counter[str] = Counter()
    for (object_type, kind), count in planned.items():
        if kind in _REMOVING:
            by_kind[object_type] += count
    by_kind[guard.MEMBERSHIP] = ended_memberships
    asked = (kind for kind, limit in settings.limits.items() if limit.percent is not None and by_kind[kind])
    return guard.Removals(
        deletions=_sum(planned, ChangeKind.DELETE),
        disables=_sum(planned, ChangeKind.DISABLE),
        by_kind=by_kind,
        present={kind: removals.present(configuration, kind) for kind in asked},
    )


def _sum(planned: Mapping[tuple[str, str], int], wanted: ChangeKind) -> int:
    return sum(count for (_, kind), count in planned.items() if kind == wanted)

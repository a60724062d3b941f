"""What has to be done to one object: a pure decision over what is wanted and what was last exported."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from provisioning.engine.flow import PLAIN, ValueRules, apply_rules

ACCOUNT_ENABLED = "AccountEnabled"

Attributes = Mapping[str, Any]

ADD: Final = "Add"
UPDATE: Final = "Update"
DELETE: Final = "Delete"
ALL_FLOWS: Final = frozenset({ADD, UPDATE, DELETE})
"""The flow types of an object mapping (Graph's objectMapping.flowTypes)."""
# Why an object is gone from what an agent reports, where AD has said that it was deleted.
DELETED_IN_AD: Final = "deleted"


class Action(StrEnum):
    """What a change does to its target object."""

    CREATE = "create"
    UPDATE = "update"
    DISABLE = "disable"
    DELETE = "delete"
    RESTORE = "restore"


class LinkStanding(StrEnum):
    """How a source object stands towards the target."""

    NONE = "none"
    ACTIVE = "active"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Decision:
    """One planned change; ``old`` and ``new`` hold the attributes it touches and nothing else."""

    action: Action
    old: dict[str, Any]
    new: dict[str, Any]


def decide(
    *,
    is_wanted: bool,
    link: LinkStanding,
    wanted: Attributes,
    exported: Attributes,
    clears: Container[str] = frozenset(),
    flows: Container[str] = ALL_FLOWS,
    rules: ValueRules = PLAIN,
    is_stale: bool = True,
) -> Decision | None:
    """The change that brings the target from what was exported to what is wanted; None when there is none.

    ``is_wanted`` is false for an object that is gone from AD or out of scope. For a creation or a restore
    ``old`` and ``new`` stay empty: all of the wanted attributes flow. An exported attribute that is missing
    from ``wanted`` is cleared when it is in ``clears``, else left alone. What is not among ``flows`` does not
    happen; a restore adds. ``rules`` say how single attributes of an object that is there flow; ``is_stale``
    is false where the object has not changed since its last export.
    """
    if link is not LinkStanding.ACTIVE:
        return _appear(link) if is_wanted and ADD in flows else None
    if not is_wanted:
        return Decision(Action.DELETE, {}, {}) if DELETE in flows else None
    if UPDATE not in flows:
        return None
    new = _differing(wanted, exported, clears)
    if not rules.are_plain:
        new = apply_rules(new, wanted, exported, rules, is_stale=is_stale)
    return modification(new, exported) if new else None


def allowed_flows(
    flows: frozenset[str], *, gone_reason: str, skips_out_of_scope_deletions: bool
) -> frozenset[str]:
    """What may happen to an object of a mapping with these flow types.

    With SkipOutOfScopeDeletions an object is deleted only when AD has said that it was deleted. One that a
    full read no longer shows may have left the scope just as well, and stays.
    """
    if skips_out_of_scope_deletions and gone_reason != DELETED_IN_AD:
        return flows - {DELETE}
    return flows


def _appear(link: LinkStanding) -> Decision:
    return Decision(Action.CREATE if link is LinkStanding.NONE else Action.RESTORE, {}, {})


def _differing(wanted: Attributes, exported: Attributes, clears: Container[str]) -> dict[str, Any]:
    new = {name: value for name, value in wanted.items() if exported.get(name) != value}
    new.update((name, None) for name in exported if name not in wanted and name in clears)
    return new


def modification(new: dict[str, Any], exported: Attributes) -> Decision:
    """The update that writes ``new``; one that switches an account off is a disable."""
    old = {name: exported.get(name) for name in new}
    is_disable = new.get(ACCOUNT_ENABLED) is False and old.get(ACCOUNT_ENABLED) is not False
    return Decision(Action.DISABLE if is_disable else Action.UPDATE, old, new)

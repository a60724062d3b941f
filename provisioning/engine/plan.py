"""What has to be done to one object: a pure decision over what is wanted and what was last exported."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ACCOUNT_ENABLED = "AccountEnabled"

Attributes = Mapping[str, Any]


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
) -> Decision | None:
    """The change that brings the target from what was exported to what is wanted; None when there is none.

    ``is_wanted`` is false for an object that is gone from AD or out of scope. For a creation or a restore
    ``old`` and ``new`` stay empty: all of the wanted attributes flow. An exported attribute that is missing
    from ``wanted`` is cleared when it is in ``clears``, else left alone.
    """
    if link is not LinkStanding.ACTIVE:
        return _appear(link) if is_wanted else None
    if not is_wanted:
        return Decision(Action.DELETE, {}, {})
    return _modify(wanted, exported, clears)


def _appear(link: LinkStanding) -> Decision:
    return Decision(Action.CREATE if link is LinkStanding.NONE else Action.RESTORE, {}, {})


def _modify(wanted: Attributes, exported: Attributes, clears: Container[str]) -> Decision | None:
    new = {name: value for name, value in wanted.items() if exported.get(name) != value}
    new.update((name, None) for name in exported if name not in wanted and name in clears)
    if not new:
        return None
    old = {name: exported.get(name) for name in new}
    is_disable = new.get(ACCOUNT_ENABLED) is False and old.get(ACCOUNT_ENABLED) is not False
    return Decision(Action.DISABLE if is_disable else Action.UPDATE, old, new)

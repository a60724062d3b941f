"""Drift: which differences between what was last exported and what the target holds are ours to mend.

What the mapping leaves to the target is not drift: attributes that flow once, values that are only added, and
everything that an object mapping's flow types do not let happen.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, Final

from provisioning.engine.flow import ValueRules, is_empty, merge
from provisioning.engine.plan import ACCOUNT_ENABLED, ADD, DELETE, UPDATE

MISSING: Final = "missing"
DELETED: Final = "deleted"
UNLINKED: Final = "unlinked"
RETURNED: Final = "returned"
CHANGED: Final = "changed"
REFERENCE: Final = "reference"

Differing = Mapping[str, tuple[Any, Any]]
"""Attributes by name, each with the value written and the value held."""

_NEEDED: Final[Mapping[str, str]] = {
    MISSING: ADD,
    DELETED: ADD,
    UNLINKED: UPDATE,
    RETURNED: DELETE,
    CHANGED: UPDATE,
    REFERENCE: UPDATE,
}


def is_ours(kind: str, flows: Container[str]) -> bool:
    """Whether the flow types let this kind of difference be mended."""
    return _NEEDED[kind] in flows


def drifted(differing: Differing, rules: ValueRules) -> dict[str, tuple[Any, Any]]:
    """Those of the attributes that differ which a next export would write again."""
    return {name: pair for name, pair in differing.items() if _is_drift(name, *pair, rules)}


def would_disable(differing: Differing) -> bool:
    """Whether mending these attributes disables an account that somebody has enabled."""
    written, held = differing.get(ACCOUNT_ENABLED, (None, None))
    return written is False and held is not False


def _is_drift(name: str, written: Any, held: Any, rules: ValueRules) -> bool:
    if name in rules.fill_only:
        return is_empty(held)
    if name in rules.merge_only:
        return bool(merge(held, written) != held)
    return True

"""How single attributes flow: filled once, merged, or written again (Graph's attributeMapping.flowType, flowBehavior).

What the target holds is what was last exported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ValueRules:
    """Names of target attributes.

    fill_only (AttributeAddOnly): written while the target has no value, then never again.
    merge_only (MultiValueAddOnly, ValueAddOnly): values are added, never removed or replaced.
    always (FlowAlways): written each time that the object is looked at.
    once (ObjectAddOnly): written when the object is created.
    """

    fill_only: frozenset[str] = frozenset()
    merge_only: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()

    @property
    def are_plain(self) -> bool:
        """Whether every attribute simply follows the source."""
        return not (self.fill_only or self.merge_only or self.always)


PLAIN: Final = ValueRules()


def stays(reference: str, exported: Values, rules: ValueRules) -> bool:
    """Whether a reference of an object that is there stays as it is, whatever it is to refer to.

    A reference that was exported as None is still to be written: what it refers to was not there at the creation.
    """
    if reference in rules.once:
        return not (reference in exported and exported[reference] is None)
    return reference in rules.fill_only | rules.merge_only and exported.get(reference) is not None


def apply_rules(
    new: Values, wanted: Values, exported: Values, rules: ValueRules, *, is_stale: bool
) -> dict[str, Any]:
    """What is written of ``new``, the attributes that differ; None clears.

    ``is_stale``: whether the object changed since its last export, so that FlowAlways writes again.
    """
    written = dict(new)
    if is_stale:
        written.update((name, wanted[name]) for name in rules.always if name in wanted)
    for name in rules.fill_only & written.keys():
        if not is_empty(exported.get(name)):
            del written[name]
    for name in rules.merge_only & written.keys():
        held = exported.get(name)
        merged = merge(held, written[name])
        if merged == held and name not in rules.always:
            del written[name]
        else:
            written[name] = merged
    return written


def merge(held: Any, added: Any) -> Any:
    """The values held and those added, in this order; a single value that is held stays as it is."""
    if is_empty(held) or is_empty(added):
        return held if is_empty(added) else added
    if not isinstance(held, list) and not isinstance(added, list):
        return held
    values = list(held) if isinstance(held, list) else [held]
    values.extend(one for one in (added if isinstance(added, list) else [added]) if one not in values)
    return values


def is_empty(value: Any) -> bool:
    """Whether a target with this value is taken to have none."""
    return value is None or value in ("", [])

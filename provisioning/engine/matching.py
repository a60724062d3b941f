"""Which object of a target an object is, by matching attributes in the order of their priority.

For targets that are asked for candidates (entra-cycle §5.4): several attributes, no composite key. The built-in
directory matches by rules of its own (:mod:`directory.matching`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from provisioning.engine.values import Value, is_absent

IMPORT_SKIPPED: Final = "ImportSkipped"
DUPLICATES: Final = "DuplicateTargetEntries"


@dataclass(frozen=True, slots=True)
class Ask:
    """Look in the target for the objects whose attribute has this value."""

    attribute: str
    value: Value


@dataclass(frozen=True, slots=True)
class Matched:
    """The object is this one of the target's, found by the attribute."""

    target_id: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The target has no such object: it is to be created."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The object can not be matched; ``attribute`` is the one in the way."""

    code: str
    attribute: str


Step = Ask | Matched | Unmatched | Failed


def next_step(
    matching: Sequence[str], wanted: Mapping[str, Value], hits: Mapping[str, Sequence[str]]
) -> Step:
    """What to do next: ask the target for one more attribute, or the decision.

    ``matching`` names the attributes with the smallest priority first, as ``CompiledMapping.matching`` does;
    ``hits`` holds the ids of the objects found for those asked so far. The first attribute that finds an object
    decides. One without a value ends the search: whoever has no key might be anybody.
    """
    for attribute in matching:
        value = wanted.get(attribute)
        if is_absent(value):
            return Failed(IMPORT_SKIPPED, attribute)
        if attribute not in hits:
            return Ask(attribute, value)
        found = set(hits[attribute])
        if len(found) > 1:
            return Failed(DUPLICATES, attribute)
        if found:
            return Matched(found.pop(), attribute)
    return Unmatched()

"""Which object of the directory an incoming one is, and what happens to values that another object holds.

Pure decisions (entra-cycle §5.2 and §5.3). Hard match (the source anchor) is a join in the bulk statements; what is
decided here are the few objects that met somebody else's user principal name or primary SMTP address.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PRINCIPAL_NAME: Final = "UserPrincipalName"
ADDRESSES: Final = "ProxyAddresses"
ANCHOR: Final = "SourceAnchorBinary"
MATCHED_BY: Final = (PRINCIPAL_NAME, ADDRESSES)
"""The attributes of a soft match, the one that counts more first."""
PRIMARY: Final = "SMTP:"
"""Marks the primary one of an object's addresses; in capitals, by the convention of proxyAddresses."""

# The codes of Entra for what the directory refuses (entra-cycle §12.3).
CONFLICT: Final = "AttributeValueMustBeUnique"
OTHER_TYPE: Final = "ObjectTypeMismatch"
HARD_MATCH_REFUSED: Final = "InvalidHardMatch"


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """What a tenant lets synchronization take over, and whether duplicate values are parked.

    ``initial_domain`` is the domain of the placeholder for a user principal name that another user holds.
    """

    blocks_hard_match: bool = False
    blocks_soft_match: bool = False
    parks_duplicates: bool = True
    initial_domain: str = "cloud.invalid"


@dataclass(frozen=True, slots=True)
class Holder:
    """Another object, not deleted, that holds the value of an attribute."""

    attribute: str
    object_id: object
    is_same_type: bool
    has_anchor: bool


@dataclass(frozen=True, slots=True)
class TakeOver:
    """The incoming object is this one, which gets its anchor; further duplicates are parked."""

    object_id: object
    parked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refuse:
    """The object fails; the attribute is the one that stands in the way."""

    code: str
    attribute: str


@dataclass(frozen=True, slots=True)
class Write:
    """The object is written, without the values of these attributes."""

    parked: tuple[str, ...] = ()


Decision = TakeOver | Refuse | Write


def decide(holders: Sequence[Holder], policy: MatchPolicy, *, is_new: bool) -> Decision:
    """What to do with an object whose values these others hold.

    The first attribute that finds an object decides about a soft match. Only a new object is matched, and only
    with one that has no anchor: an object that is already synchronized never merges with another.
    """
    for holder in holders:
        if not holder.is_same_type:
            return Refuse(OTHER_TYPE, holder.attribute)
    by_attribute = {holder.attribute: holder for holder in reversed(holders)}
    found = [by_attribute[name] for name in MATCHED_BY if name in by_attribute]
    taken = (
        found[0] if found and is_new and not policy.blocks_soft_match and not found[0].has_anchor else None
    )
    duplicates = tuple(
        holder.attribute for holder in found if taken is None or holder.object_id != taken.object_id
    )
    if duplicates and not policy.parks_duplicates:
        return Refuse(CONFLICT, duplicates[0])
    return Write(duplicates) if taken is None else TakeOver(taken.object_id, duplicates)

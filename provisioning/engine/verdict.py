"""Why an object is, or is not, in the target: one sentence from what is stored about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from provisioning.engine.plan import ADD, ALL_FLOWS, DELETE, UPDATE, LinkStanding, allowed_flows


class Verdict(StrEnum):
    """Where an object stands."""

    NEVER_SEEN = "NeverSeen"
    TYPE_NOT_MAPPED = "TypeNotMapped"
    DELETED_IN_AD = "DeletedInActiveDirectory"
    LEFT_CONTAINERS = "OutsideTheContainers"
    NOT_SEEN_ANY_MORE = "NotSeenAnyMore"
    FILTERED_OUT = "FilteredOut"
    KEPT_OUT_OF_SCOPE = "KeptOutOfScope"
    KEPT_WITHOUT_DELETE = "KeptWithoutDelete"
    NOT_ADDED = "NotAdded"
    NOT_UPDATED = "NotUpdated"
    MAPPING_FAILS = "MappingFails"
    GIVEN_UP = "GivenUp"
    IN_ESCROW = "InEscrow"
    HELD = "Held"
    WAITING = "Waiting"
    SYNCHRONIZED = "Synchronized"


SENTENCES: Final[Mapping[Verdict, str]] = MappingProxyType(
    {
        Verdict.NEVER_SEEN: (
            "No agent has ever reported this object. See that it is in this domain, below a container and in "
            "a group of the scope (where there are any), and that the bind account may read it."
        ),
        Verdict.TYPE_NOT_MAPPED: "The configuration has no enabled mapping for objects of this type. Enable one.",
        Verdict.DELETED_IN_AD: "The object was deleted in Active Directory. Restore it there to bring it back.",
        Verdict.LEFT_CONTAINERS: (
            "The object left the scope: it is below none of its containers, or in none of its groups. Move it back, "
            "make it a member again, or widen the scope."
        ),
        Verdict.NOT_SEEN_ANY_MORE: (
            "The last complete read did not find the object. It was deleted or moved out, or can not be read."
        ),
        Verdict.FILTERED_OUT: (
            "The scope filter keeps the object out; the clauses say which one. Change it, or the object's attribute."
        ),
        Verdict.KEPT_OUT_OF_SCOPE: (
            "The object is not in scope any more and is kept in the target because the configuration keeps what leaves "
            "the scope (SkipOutOfScopeDeletions). Switch that off and restart the job to remove it."
        ),
        Verdict.KEPT_WITHOUT_DELETE: (
            "The object is gone or not in scope any more and is kept in the target because the flowTypes of its object "
            "mapping lack Delete. Add Delete to remove it."
        ),
        Verdict.NOT_ADDED: (
            "The object is in scope and is not in the target because the flowTypes of its object mapping lack Add. Add "
            "it to create or restore the object."
        ),
        Verdict.NOT_UPDATED: (
            "The target keeps the object as it was written, though something else is wanted, because the flowTypes of "
            "its object mapping lack Update. Add it to let changes flow."
        ),
        Verdict.MAPPING_FAILS: "The mapping fails for the object; see the attribute with an error.",
        Verdict.GIVEN_UP: (
            "The object failed for 28 days and is not tried any more until it changes. Mend the cause, then change "
            "the object or restart the job with the scope Escrows."
        ),
        Verdict.IN_ESCROW: "The last try failed. It is tried again at the time shown, or as soon as it changes.",
        Verdict.HELD: "The job is held: nothing is written until somebody allows or rejects the held removals.",
        Verdict.WAITING: "The object is known and has a change that is still to be written, in the next cycle.",
        Verdict.SYNCHRONIZED: "The target holds what is wanted. Nothing has to be done.",
    }
)
_GONE: Final = {"deleted": Verdict.DELETED_IN_AD, "outOfScope": Verdict.LEFT_CONTAINERS}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about an object that some agent has reported."""

    is_mapped: bool
    gone_reason: str | None
    in_scope: bool
    mapping_fails: bool
    link: LinkStanding
    is_dirty: bool
    in_escrow: bool
    is_given_up: bool
    job_is_held: bool
    flows: frozenset[str] = ALL_FLOWS
    skips_out_of_scope_deletions: bool = False
    differs: bool = False

    @property
    def is_wanted(self) -> bool:
        """Whether it should be in the target."""
        return self.gone_reason is None and self.in_scope


def judge(facts: Facts | None) -> Verdict:
    """The verdict on an object; ``facts`` is None for one that was never reported."""
    if facts is None:
        return Verdict.NEVER_SEEN
    if not facts.is_mapped:
        return Verdict.TYPE_NOT_MAPPED
    if facts.is_wanted and facts.mapping_fails:
        return Verdict.MAPPING_FAILS
    return _kept_back(facts) or _unfinished(facts) or _unwanted(facts) or Verdict.SYNCHRONIZED


def _kept_back(facts: Facts) -> Verdict | None:
    """What a switch keeps from flowing: no later cycle changes that, so it comes before what is still waiting."""
    if not facts.is_wanted:
        return _kept(facts) if facts.link is LinkStanding.ACTIVE else None
    if facts.link is not LinkStanding.ACTIVE:
        return None if ADD in facts.flows else Verdict.NOT_ADDED
    return Verdict.NOT_UPDATED if facts.differs and UPDATE not in facts.flows else None


def _kept(facts: Facts) -> Verdict | None:
    if DELETE not in facts.flows:
        return Verdict.KEPT_WITHOUT_DELETE
    allowed = allowed_flows(
        facts.flows,
        gone_reason=facts.gone_reason or "",
        skips_out_of_scope_deletions=facts.skips_out_of_scope_deletions,
    )
    return None if DELETE in allowed else Verdict.KEPT_OUT_OF_SCOPE


def _unfinished(facts: Facts) -> Verdict | None:
    if facts.in_escrow:
        return Verdict.GIVEN_UP if facts.is_given_up else Verdict.IN_ESCROW
    # An initial cycle creates what is not there yet, marked or not.
    is_looked_at = facts.is_dirty or facts.link is LinkStanding.NONE
    if is_looked_at and (facts.is_wanted or facts.link is LinkStanding.ACTIVE):
        return Verdict.HELD if facts.job_is_held else Verdict.WAITING
    return None


def _unwanted(facts: Facts) -> Verdict | None:
    if facts.gone_reason is not None:
        return _GONE.get(facts.gone_reason, Verdict.NOT_SEEN_ANY_MORE)
    return None if facts.in_scope else Verdict.FILTERED_OUT

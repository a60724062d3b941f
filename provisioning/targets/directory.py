"""The built-in cloud directory as a target: same database, same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from directory.matching import MatchPolicy
from directory.models.membership import MemberKind
from directory.services import creations, objects, relations
from directory.services.rows import MANAGED, Kept, ObjectWrite, Verb, WriteResult
from provisioning.engine.flow import ValueRules
from provisioning.models import ChangeKind, ObjectType
from provisioning.store.outbound import (
    ObjectChange,
    Outcome,
    ReferenceChange,
    StagedCreations,
    StagedMemberships,
)

_KIND_OF = {
    ObjectType.USER: MemberKind.USER,
    ObjectType.GROUP: MemberKind.GROUP,
    ObjectType.CONTACT: MemberKind.CONTACT,
}
# A restore is written like a creation: the directory finds the object by its anchor and brings it back.
_VERB_OF = {
    ChangeKind.RESTORE: Verb.CREATE,
    ChangeKind.UPDATE: Verb.UPDATE,
    ChangeKind.DISABLE: Verb.UPDATE,
    ChangeKind.DELETE: Verb.DELETE,
}
_MANAGER = "Manager"
_MANAGED = tuple(ObjectType(kind) for kind in MANAGED)
_UNSUPPORTED_REFERENCE = "The built-in directory keeps the reference Manager only; remove the mapping."


# The keys of a target's settings, by the field of the policy; Graph names the first two …Enabled tenant features.
POLICY_KEYS: Final = {
    "blocks_hard_match": "blockCloudObjectTakeoverThroughHardMatch",
    "blocks_soft_match": "blockSoftMatch",
    "parks_duplicates": "duplicateAttributeResiliency",
    "initial_domain": "initialDomain",
}


def policy_of(settings: Mapping[str, Any]) -> MatchPolicy:
    """What a target's settings say of matching; what they do not name is as in :class:`MatchPolicy`."""
    return MatchPolicy(**{field: settings[key] for field, key in POLICY_KEYS.items() if key in settings})


class DirectoryTarget:
    """Writes to the built-in directory in bulk."""

    shares_transaction = True

    def __init__(self, now: datetime, policy: MatchPolicy) -> None:
        self._now = now
        self._policy = policy

    @property
    def references_at_creation(self) -> Mapping[str, Sequence[ObjectType]]:
        """The manager, of those that have one."""
        return {_MANAGER: _MANAGED}

    def create(self, staged: StagedCreations) -> list[Outcome]:
        """Create all in one statement for each type; of those that met another object, what became of them."""
        kept = {_KIND_OF[kind]: _kept(rules) for kind, rules in staged.rules.items()}
        return [_outcome(result) for result in creations.create(staged.table, self._now, self._policy, kept)]

    def apply(self, changes: Sequence[ObjectChange]) -> list[Outcome]:
        """Write all changes, one bulk write for each object type."""
        by_type: dict[ObjectType, list[ObjectWrite]] = defaultdict(list)
        for change in changes:
            by_type[change.object_type].append(_write_of(change))
        return [
            _outcome(result)
            for object_type, writes in by_type.items()
            for result in objects.write(_KIND_OF[object_type], writes, self._now, self._policy)
        ]

    def set_references(self, changes: Sequence[ReferenceChange]) -> list[Outcome]:
        """Set managers; another reference attribute is refused by name."""
        by_type: dict[ObjectType, list[tuple[UUID, UUID | None]]] = defaultdict(list)
        outcomes = []
        for change in changes:
            if change.attribute != _MANAGER:
                outcomes.append(Outcome(change.id, None, "SchemaAttributeNotFound", _UNSUPPORTED_REFERENCE))
                continue
            manager = UUID(change.referenced_id) if change.referenced_id else None
            by_type[change.object_type].append((UUID(change.target_id), manager))
            outcomes.append(Outcome(change.id, change.target_id))
        for object_type, pairs in by_type.items():
            relations.set_managers(_KIND_OF[object_type], pairs, self._now)
        return outcomes

    def change_members(self, staged: StagedMemberships) -> list[Outcome]:
        """Write all memberships in few statements; they never leave the database."""
        if staged.compared:
            relations.change_members_of(staged.table)
        if staged.filled:
            relations.fill_groups_of(staged.sets)
        return []


def _kept(rules: ValueRules) -> Kept:
    return Kept(tuple(sorted(rules.fill_only)), tuple(sorted(rules.merge_only)), tuple(sorted(rules.once)))


def _write_of(change: ObjectChange) -> ObjectWrite:
    verb = _VERB_OF[change.kind]
    return ObjectWrite(
        key=change.id,
        verb=verb,
        object_id=UUID(change.target_id) if change.target_id and verb is not Verb.CREATE else None,
        anchor=change.anchor if verb is Verb.CREATE else None,
        document=change.document,
    )


def _outcome(result: WriteResult) -> Outcome:
    target_id = str(result.object_id) if result.object_id else None
    return Outcome(result.key, target_id, result.error_code, result.detail, result.held)

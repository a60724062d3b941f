"""The built-in cloud directory as a target: same database, same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from directory.models.membership import MemberKind
from directory.services import objects, relations
from directory.services.rows import MembershipWrite, ObjectWrite, Verb, WriteResult
from provisioning.models import ChangeKind, ObjectType
from provisioning.store.outbound import MembershipChange, ObjectChange, Outcome, ReferenceChange

_KIND_OF = {
    ObjectType.USER: MemberKind.USER,
    ObjectType.GROUP: MemberKind.GROUP,
    ObjectType.CONTACT: MemberKind.CONTACT,
}
# A restore is written like a creation: the directory finds the object by its anchor and brings it back.
_VERB_OF = {
    ChangeKind.CREATE: Verb.CREATE,
    ChangeKind.RESTORE: Verb.CREATE,
    ChangeKind.UPDATE: Verb.UPDATE,
    ChangeKind.DISABLE: Verb.UPDATE,
    ChangeKind.DELETE: Verb.DELETE,
}
_UNSUPPORTED_REFERENCE = "The built-in directory keeps the reference Manager only; remove the mapping."


class DirectoryTarget:
    """Writes to the built-in directory in bulk."""

    shares_transaction = True

    def __init__(self, now: datetime) -> None:
        self._now = now

    def apply(self, changes: Sequence[ObjectChange]) -> list[Outcome]:
        """Write all changes, one bulk write for each object type."""
        by_type: dict[ObjectType, list[ObjectWrite]] = defaultdict(list)
        for change in changes:
            by_type[change.object_type].append(_write_of(change))
        return [
            _outcome(result)
            for object_type, writes in by_type.items()
            for result in objects.write(_KIND_OF[object_type], writes, self._now)
        ]

    def set_references(self, changes: Sequence[ReferenceChange]) -> list[Outcome]:
        """Set managers; another reference attribute is refused by name."""
        by_type: dict[ObjectType, list[tuple[UUID, UUID | None]]] = defaultdict(list)
        outcomes = []
        for change in changes:
            if change.attribute != "Manager":
                outcomes.append(Outcome(change.id, None, "SchemaAttributeNotFound", _UNSUPPORTED_REFERENCE))
                continue
            manager = UUID(change.referenced_id) if change.referenced_id else None
            by_type[change.object_type].append((UUID(change.target_id), manager))
            outcomes.append(Outcome(change.id, change.target_id))
        for object_type, pairs in by_type.items():
            relations.set_managers(_KIND_OF[object_type], pairs, self._now)
        return outcomes

    def change_members(self, changes: Sequence[MembershipChange]) -> list[Outcome]:
        """Write all memberships in two statements."""
        relations.change_members([_membership(change) for change in changes])
        return [Outcome(change.id) for change in changes]


def _write_of(change: ObjectChange) -> ObjectWrite:
    verb = _VERB_OF[change.kind]
    is_creation = verb is Verb.CREATE
    return ObjectWrite(
        key=change.id,
        verb=verb,
        object_id=UUID(change.target_id) if change.target_id and not is_creation else None,
        anchor=change.anchor if is_creation else None,
        document=change.document,
    )


def _membership(change: MembershipChange) -> MembershipWrite:
    return MembershipWrite(
        key=change.id,
        is_addition=change.is_addition,
        group_id=UUID(change.group_id),
        member_id=UUID(change.member_id),
        member_kind=_KIND_OF[change.member_type],
    )


def _outcome(result: WriteResult) -> Outcome:
    target_id = str(result.object_id) if result.object_id else None
    return Outcome(result.key, target_id, result.error_code, result.detail)

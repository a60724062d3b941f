"""What goes from the store to a target, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from provisioning.engine.flow import ValueRules
from provisioning.models import ChangeKind, ObjectType


@dataclass(frozen=True, slots=True)
class Reference:
    """Another object as a reference attribute names it: its objectGUID, and its target id, kept or proposed."""

    guid: str
    target_id: str


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One change of one object.

    ``document`` is JSON text: every wanted attribute for a create or a restore, else the attributes to change
    (null clears). ``proposed_id`` and ``references``, reference attributes to be written at once, are a creation's.
    """

    id: int
    kind: ChangeKind
    object_type: ObjectType
    target_id: str | None
    anchor: str | None
    document: str
    proposed_id: str | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReferenceChange:
    """One reference attribute of one object to be set to another target object, or cleared with None."""

    id: int
    object_type: ObjectType
    target_id: str
    attribute: str
    referenced_id: str | None


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """One membership to add or remove; both ends are target ids."""

    id: int
    is_addition: bool
    group_id: str
    member_id: str
    member_type: ObjectType


@dataclass(frozen=True, slots=True)
class StagedCreations:
    """Objects to create, in a table of this session.

    A target in the same database reads ``table`` (change_id, object_type, the proposed object_id as uuid, anchor,
    document as jsonb, references_found as jsonb: name → [objectGUID, target id]); any other calls ``read``. ``rules``
    say which attributes of an object that is there already are not simply written.
    """

    table: str
    count: int
    read: Callable[[], Iterator[ObjectChange]]
    rules: Mapping[ObjectType, ValueRules]


@dataclass(frozen=True, slots=True)
class StagedMemberships:
    """Memberships to write, in two tables of this session.

    A target in the same database reads ``table``, which has ``compared`` of them, one in a row (is_addition, group_id,
    member_id as text, member_kind as :class:`ObjectType`), and ``sets``, which has ``filled`` more, all of them
    additions to groups that the cycle has created, many in a row (group_id, member_kind, member_ids as text[]). Any
    other target calls ``read``.
    """

    table: str
    sets: str
    compared: int
    filled: int
    read: Callable[[], Iterator[MembershipChange]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change; ``error_code`` is empty when it was applied.

    ``held`` is JSON text: what an object that was there already holds of the attributes that were not simply written.
    """

    change_id: int
    target_id: str | None = None
    error_code: str = ""
    error_detail: str = ""
    held: str | None = None

"""What goes from the store to a target, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from provisioning.models import ChangeKind, ObjectType


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One change of one object.

    ``document`` is JSON text: every wanted attribute for a create or a restore, else the attributes to change
    (null clears). ``references`` maps reference attributes to target ids, None clears.
    """

    id: int
    kind: ChangeKind
    object_type: ObjectType
    target_id: str | None
    anchor: str | None
    document: str


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
class Outcome:
    """What became of one change; ``error_code`` is empty when it was applied."""

    change_id: int
    target_id: str | None = None
    error_code: str = ""
    error_detail: str = ""

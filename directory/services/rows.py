"""What goes into a bulk write of the directory and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import models

from directory.models import Contact, Group, User
from directory.models.membership import MemberKind

MODEL_OF: dict[MemberKind, type[models.Model]] = {
    MemberKind.USER: User,
    MemberKind.GROUP: Group,
    MemberKind.CONTACT: Contact,
}

# The kinds that have a manager.
MANAGED = (MemberKind.USER, MemberKind.CONTACT)

# A soft-deleted object comes back with its id within this time; then it is removed for good.
RESTORABLE = timedelta(days=30)
# The codes of Entra for an object that is no longer there, has no anchor, or holds what can not be stored.
MISSING = "InvalidAnchor"
MISSING_VALUES = "MissingValues"
INVALID = "DataValidationFailed"


class Verb(StrEnum):
    """What is done to an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class ObjectWrite:
    """One write. ``document`` is JSON text: all attributes for a creation, a patch (null clears) for an update.

    ``object_id`` of a creation is the id to give it, null for any; ``anchor`` is null for anything else.
    ``manager_id`` is written by a creation; null leaves what an object that is taken over has.
    """

    key: int
    verb: Verb
    object_id: UUID | None
    anchor: str | None
    document: str
    manager_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """Attributes of an object that is taken over which a creation does not simply write.

    ``fill`` are written where it has no value, ``merge`` get the values that are missing, ``once`` stay as they are:
    they belong to objects that are really created.
    """

    fill: tuple[str, ...] = ()
    merge: tuple[str, ...] = ()
    once: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.fill, *self.merge, *self.once)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What became of one write; ``error_code`` is empty when it was applied.

    ``detail`` of a write that was applied says which of its values are parked. ``held`` is JSON text: what an object
    that was taken over now holds of the attributes in :class:`Kept`, null where it holds nothing.
    """

    key: int
    object_id: UUID | None
    error_code: str = ""
    detail: str = ""
    held: str | None = None


@dataclass(frozen=True, slots=True)
class MembershipWrite:
    """One membership to add or to remove."""

    key: int
    is_addition: bool
    group_id: UUID
    member_id: UUID
    member_kind: MemberKind

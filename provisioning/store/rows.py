"""Rows on their way into the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

# An empty document of a :class:`StagedObject`.
NOTHING: Final = b"{}"


class StagedObject(NamedTuple):
    """One object of a page after mapping. Documents are JSON text; hashes are 16 bytes."""

    guid: str
    object_type: int
    dn: str
    attributes: bytes
    attributes_hash: bytes
    in_scope: bool
    wanted: bytes
    create_only: bytes
    reference_guids: bytes
    wanted_hash: bytes
    error_code: str = ""
    error_detail: str = ""
    state_changes_at: datetime | None = None
    sid: str | None = None
    primary_group_sid: str | None = None
    user_principal_name: str | None = None


class NamedScope(NamedTuple):
    """What limits a scope: "container" or "group", and its DN."""

    kind: str
    dn: str


EncodedObject = tuple[bytes, bool, bool, bool]
"""An object as COPY takes it (:mod:`encoding`); whether its mapping failed, it is in scope, and it refers to others."""


@dataclass(slots=True)
class PageChanges:
    """What a page tells besides how objects are now, and who has become a member or is none any more.

    ``foreign`` has the members that stand for somebody of another forest: by guid the SID as text, and as objectSid
    where it is that of an account.
    ``names`` are containers, and the groups of the scope, by objectGUID; ``lost_names`` containers that are gone.
    """

    tombstones: dict[str, list[str]] = field(default_factory=dict)
    present: list[str] = field(default_factory=list)
    whole_groups: list[str] = field(default_factory=list)
    foreign: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    names: dict[str, NamedScope] = field(default_factory=dict)
    lost_names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class StagedPage(PageChanges):
    """A page after mapping. Members are lists of objectGUIDs by the group's; removals come before additions."""

    objects: list[StagedObject] = field(default_factory=list)
    added_members: dict[str, list[str]] = field(default_factory=dict)
    removed_members: dict[str, list[str]] = field(default_factory=dict)

    @property
    def resources(self) -> int:
        """How many objects and tombstones the page brought."""
        return len(self.objects) + sum(len(guids) for guids in self.tombstones.values())

    def take(self, other: StagedPage) -> None:
        """Add what a further page of the same answer brought."""
        self.objects += other.objects
        for reason, guids in other.tombstones.items():
            self.tombstones.setdefault(reason, []).extend(guids)
        self.whole_groups += other.whole_groups
        for group, members in other.added_members.items():
            self.added_members.setdefault(group, []).extend(members)
        for group, members in other.removed_members.items():
            self.removed_members.setdefault(group, []).extend(members)
        self.foreign |= other.foreign


@dataclass(slots=True)
class EncodedPage(PageChanges):
    """A page ready to be merged: objects by objectGUID, as told last.

    Members are elements of an array (:mod:`copy_binary`) by the group's objectGUID: sorted, each once, at least one.
    ``resources`` is how many objects and tombstones the page brought.
    """

    objects: dict[str, EncodedObject] = field(default_factory=dict)
    added_members: dict[str, bytes] = field(default_factory=dict)
    removed_members: dict[str, bytes] = field(default_factory=dict)
    resources: int = 0

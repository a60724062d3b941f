"""Who is in which group."""

from __future__ import annotations

from django.db import models


class MemberKind(models.IntegerChoices):
    """The kind of object a member is."""

    USER = 1, "User"
    GROUP = 2, "Group"
    CONTACT = 3, "Contact"


class Membership(models.Model):
    """One member of one group; a member is a user, a group or a contact."""

    pk = models.CompositePrimaryKey("group_id", "member_id")
    # Written by the million, and only where both ends were just found; the primary key serves as its index.
    group = models.ForeignKey(
        "directory.Group",
        on_delete=models.CASCADE,
        related_name="memberships",
        db_index=False,
        db_constraint=False,
    )
    member_id = models.UUIDField(db_index=True)
    member_kind = models.PositiveSmallIntegerField(choices=MemberKind)

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id}"

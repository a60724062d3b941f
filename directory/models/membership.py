"""Who is in which group."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

# Members of a set when it is written: taking one of them out writes the others again.
SET_SIZE: Final = 1_000


class MemberKind(models.IntegerChoices):
    """The kind of object a member is."""

    USER = 1, "User"
    GROUP = 2, "Group"
    CONTACT = 3, "Contact"


class MemberSet(models.Model):
    """Members of one group, all of one kind; a group has as many sets as it needs, and a member in one of them.

    That it is in one only is the writers' affair (:mod:`directory.services.relations`): no index sees to it.
    """

    id = models.BigAutoField(primary_key=True)
    # Written by the million, and only where both ends were just found.
    group = models.ForeignKey(
        "directory.Group", on_delete=models.CASCADE, related_name="member_sets", db_constraint=False
    )
    member_kind = models.PositiveSmallIntegerField(choices=MemberKind)
    members = ArrayField(models.UUIDField())

    class Meta:
        indexes = [
            # A first cycle puts a million members in: they go to the end of the index as they come, and autovacuum
            # sorts them in behind it. The limit (kB) is where a writer would have to do that itself.
            GinIndex(
                fields=["members"],
                fastupdate=True,
                gin_pending_list_limit=65_536,
                name="directory_memberset_members",
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.members)} in {self.group_id}"


class Membership(models.Model):
    """One member of one group; a member is a user, a group or a contact. To be read: a view of the sets.

    Ask it about groups. Whoever asks about a member asks the sets, whose index knows.
    """

    pk = models.CompositePrimaryKey("group_id", "member_id")
    group = models.ForeignKey(
        "directory.Group",
        on_delete=models.DO_NOTHING,
        related_name="memberships",
        db_index=False,
        db_constraint=False,
    )
    member_id = models.UUIDField()
    member_kind = models.PositiveSmallIntegerField(choices=MemberKind)

    class Meta:
        managed = False
        db_table = "directory_membership"

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id}"

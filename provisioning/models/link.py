"""Which target object a source object is, and what we last wrote there."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from provisioning.models.configuration import Configuration
from provisioning.models.source import SourceObject


class LinkState(models.TextChoices):
    """What we last did to the target object."""

    ACTIVE = "active", "Active"
    DELETED = "deleted", "Soft-deleted"


class Link(models.Model):
    """Source object ↔ target object, with the attributes last exported."""

    source = models.OneToOneField(
        SourceObject, primary_key=True, on_delete=models.CASCADE, related_name="link", db_constraint=False
    )
    configuration = models.ForeignKey(
        Configuration, on_delete=models.CASCADE, related_name="links", db_index=False, db_constraint=False
    )
    target_id = models.TextField()
    state = models.CharField(max_length=10, choices=LinkState, default=LinkState.ACTIVE)
    exported = models.JSONField(default=dict)
    exported_hash = models.BinaryField()
    reference_guids = models.JSONField(default=dict)
    linked_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["configuration", "target_id"], name="provisioning_link_target")
        ]

    def __str__(self) -> str:
        return f"{self.source_id} ↔ {self.target_id}"


class LinkMemberSet(models.Model):
    """Some of the members of a group that we wrote to the target, by the ids of the source objects.

    A group has as many sets as it needs, and none is empty (:mod:`provisioning.store.written_members`).
    """

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(SourceObject, on_delete=models.CASCADE, related_name="+", db_constraint=False)
    members = ArrayField(models.BigIntegerField())

    class Meta:
        indexes = [
            # A first cycle adds a million: they are put down in a list, which autovacuum sorts in behind it.
            GinIndex(
                fields=["members"],
                name="provisioning_linkmemberset_gin",
                fastupdate=True,
                gin_pending_list_limit=65536,
            )
        ]

    def __str__(self) -> str:
        return f"{len(self.members)} members of {self.group_id}"


class LinkMember(models.Model):
    """One membership that we wrote to the target: a view of :class:`LinkMemberSet`, to be read by group."""

    pk = models.CompositePrimaryKey("group_id", "member_id")
    group = models.ForeignKey(SourceObject, on_delete=models.DO_NOTHING, related_name="+")
    member = models.ForeignKey(SourceObject, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False
        db_table = "provisioning_linkmember"

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id}"

"""Which target object a source object is, and what we last wrote there."""

from __future__ import annotations

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


class LinkMember(models.Model):
    """One membership that we wrote to the target, by the ids of the two source objects."""

    pk = models.CompositePrimaryKey("group_id", "member_id")
    group = models.ForeignKey(
        SourceObject, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    member = models.ForeignKey(SourceObject, on_delete=models.CASCADE, related_name="+", db_constraint=False)

    def __str__(self) -> str:
        return f"{self.member_id} in {self.group_id}"

"""Planned changes of a cycle, and what became of each."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models

from provisioning.models.cycle import Cycle
from provisioning.models.source import ObjectType


class ChangeKind(models.TextChoices):
    """What a change does to its target object."""

    CREATE = "create", "Create"
    UPDATE = "update", "Update"
    DISABLE = "disable", "Disable"
    DELETE = "delete", "Delete"
    RESTORE = "restore", "Restore"
    REFERENCE = "reference", "Set references"


class ChangeStatus(models.TextChoices):
    """The outcome of a change; a planned one has none yet, and one that an undo leaves alone never gets one."""

    PLANNED = "planned", "Planned"
    APPLIED = "applied", "Applied"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Left alone"


class Change(models.Model):
    """One change of one object. ``old`` and ``new`` hold the attributes it touches; null clears.

    Batches of one ``phase`` run side by side; phases run in order (objects, references, memberships, deletions).
    """

    cycle = models.ForeignKey(
        Cycle, on_delete=models.CASCADE, related_name="changes", db_index=False, db_constraint=False
    )
    source_id = models.BigIntegerField(db_index=True)
    object_type = models.PositiveSmallIntegerField(choices=ObjectType)
    kind = models.CharField(max_length=10, choices=ChangeKind)
    phase = models.PositiveSmallIntegerField()
    batch = models.PositiveIntegerField()
    # Under which a creation may make its object, so that others can refer to it before it exists.
    proposed_id = models.UUIDField(db_default=RandomUUID())
    old = models.JSONField(default=dict)
    new = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=ChangeStatus, default=ChangeStatus.PLANNED)
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["cycle", "phase", "batch"], name="provisioning_change_batch")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.source_id}"


class MemberChange(models.Model):
    """One membership to add or to remove, by the ids of the two source objects.

    Those that were written are kept where an undo needs them: not of an object that the cycle created, which takes
    its memberships along when it goes.
    """

    cycle = models.ForeignKey(
        Cycle, on_delete=models.CASCADE, related_name="member_changes", db_index=False, db_constraint=False
    )
    group_id = models.BigIntegerField()
    member_id = models.BigIntegerField()
    is_addition = models.BooleanField()
    batch = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=ChangeStatus, default=ChangeStatus.PLANNED)
    error_code = models.CharField(max_length=80, blank=True)

    class Meta:
        indexes = [models.Index(fields=["cycle", "batch"], name="provisioning_member_batch")]

    def __str__(self) -> str:
        return f"{'add' if self.is_addition else 'remove'} {self.member_id} in {self.group_id}"


class GroupFill(models.Model):
    """Members of one type that a group is to get once the cycle has created it; gone when they are written.

    There is nothing to compare such a group with, and nothing of it can be removed. Its members are source objects.
    """

    pk = models.CompositePrimaryKey("cycle_id", "batch", "group_id", "member_type")
    cycle = models.ForeignKey(
        Cycle, on_delete=models.CASCADE, related_name="group_fills", db_index=False, db_constraint=False
    )
    batch = models.PositiveIntegerField()
    group_id = models.BigIntegerField()
    member_type = models.PositiveSmallIntegerField(choices=ObjectType)
    members = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{len(self.members)} members for {self.group_id}"

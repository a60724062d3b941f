"""What is synchronized where: one domain to one target, with scope, mapping and switches."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from agents.models import Domain
from provisioning.models.guard_limits import GuardLimits


class TargetKind(models.TextChoices):
    """The kinds of target there is an adapter for."""

    DIRECTORY = "directory", "Built-in directory"


class NestedGroups(models.TextChoices):
    """What becomes of a group that is a member of a group."""

    KEEP = "keep", "Keep: a member like any other"
    FLATTEN = "flatten", "Flatten: its members instead, however deep"


class Target(models.Model):
    """Where a configuration writes to; credentials are sealed."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=20, choices=TargetKind, default=TargetKind.DIRECTORY)
    settings = models.JSONField(default=dict, blank=True)
    sealed_credentials = models.BinaryField(null=True, blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Configuration(GuardLimits):
    """One domain → one target. ``schema`` is a document in Graph's synchronizationSchema shape."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120, unique=True)
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="configurations")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="configurations")
    schema = models.JSONField()
    notification_addresses = ArrayField(
        models.EmailField(),
        default=list,
        blank=True,
        help_text="Who gets a mail when the job is held or quarantined, or when the domain loses its last agent.",
    )
    expire_accounts = models.BooleanField(
        "disable expired accounts",
        default=True,
        help_text="An account is disabled in the target at the moment it expires in Active Directory.",
    )
    skip_out_of_scope_deletions = models.BooleanField(
        "keep what leaves the scope",
        default=False,
        help_text="An object that leaves the scope stays in the target as it is. Deletions in Active Directory "
        "still flow. After switching this off, restart the job to remove what has left before.",
    )
    nested_groups = models.CharField(
        max_length=10,
        choices=NestedGroups,
        default=NestedGroups.KEEP,
        help_text="Flattened, a group has the accounts and contacts of all groups in it as members of its own.",
    )
    # What the memberships in the target were last planned by.
    planned_nested_groups = models.CharField(
        max_length=10, choices=NestedGroups, default=NestedGroups.KEEP, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

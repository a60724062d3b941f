"""What is synchronized where: one domain to one target, with scope, mapping and switches."""

from __future__ import annotations

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from agents.models import Domain
from provisioning.models.guard_limits import GuardLimits


class TargetKind(models.TextChoices):
    """The kinds of target there is an adapter for."""

    DIRECTORY = "directory", "Built-in directory"


class NestedGroups(models.TextChoices):
    """What becomes of a group that is a member of a group."""

    KEEP = "keep", "Keep: a member like any other"
    FLATTEN = "flatten", "Flatten: its members instead, however deep"


class Reconcile(models.TextChoices):
    """What is done on a schedule about a target that differs from what was exported."""

    OFF = "off", "Off"
    REPORT = "report", "Report what differs"
    REPAIR = "repair", "Repair what differs"


# Reading costs seconds and changes nothing, so it is on; a mail a week about known drift is enough.
DEFAULT_RECONCILE_HOURS: Final = 7 * 24


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
    reconcile = models.CharField(
        max_length=10,
        choices=Reconcile,
        default=Reconcile.REPORT,
        help_text="The target is compared with what was last exported; drift is told by mail.",
    )
    reconcile_hours = models.PositiveSmallIntegerField(
        "reconcile every (hours)",
        default=DEFAULT_RECONCILE_HOURS,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 366)],
    )
    # When the last reconciliation began; before the first, when the configuration was made.
    reconciled_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["reconciled_at"],
                name="provisioning_reconcile_due",
                condition=Q(reconcile__in=["report", "repair"]),
            )
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

"""Comparing the target with what was last exported: one run, and what it found."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from provisioning.models.configuration import Configuration
from provisioning.models.cycle import Cycle
from provisioning.models.source import ObjectType


class ReconciliationMode(models.TextChoices):
    """What is done about drift."""

    REPORT = "report", "Report"
    REPAIR = "repair", "Repair"


class ReconciliationState(models.TextChoices):
    """How far a run has come; ``refused``: the delete guard did not let the repair begin."""

    WAITING = "waiting", "Waiting"
    COMPARING = "comparing", "Comparing"
    MARKING = "marking", "Marking"
    REPAIRING = "repairing", "Repairing"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"
    FAILED = "failed", "Failed"


OPEN_STATES = (
    ReconciliationState.WAITING,
    ReconciliationState.COMPARING,
    ReconciliationState.MARKING,
    ReconciliationState.REPAIRING,
)


class DriftKind(models.TextChoices):
    """How the target differs from what was last exported."""

    MISSING = "missing", "Missing in the target"
    DELETED = "deleted", "Deleted in the target"
    UNLINKED = "unlinked", "There, without our source anchor"
    RETURNED = "returned", "Deleted by us, back in the target"
    CHANGED = "changed", "Changed attributes"
    REFERENCE = "reference", "Changed reference"
    MEMBERSHIP_MISSING = "membershipMissing", "Membership missing"
    MEMBERSHIP_EXTRA = "membershipExtra", "Membership that we did not write"
    MEMBERSHIP_FOREIGN = "membershipForeign", "Member that nobody synchronizes"


# What a repair leaves as it is, because it is not ours (any more).
NEVER_REPAIRED = (DriftKind.UNLINKED, DriftKind.MEMBERSHIP_FOREIGN)


class Reconciliation(models.Model):
    """One run. ``counts`` is complete, by kind of drift and type of object; the findings are the first of each kind.

    ``position`` is the target id up to which links are compared, ``marked`` the finding up to which they are marked.
    ``count_disables`` are changed accounts that a repair would disable. ``cycle`` holds the job meanwhile; what a
    repair wrote is in its log.
    """

    configuration = models.ForeignKey(
        Configuration, on_delete=models.CASCADE, related_name="reconciliations", db_index=False
    )
    cycle = models.OneToOneField(
        Cycle, null=True, on_delete=models.SET_NULL, related_name="reconciliation", db_constraint=False
    )
    mode = models.CharField(max_length=10, choices=ReconciliationMode)
    is_scheduled = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=ReconciliationState, default=ReconciliationState.WAITING)
    position = models.TextField(blank=True)
    marked = models.BigIntegerField(default=0)
    count_compared = models.PositiveIntegerField(default=0)
    count_disables = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["configuration"],
                name="provisioning_reconcile_once",
                condition=Q(state__in=["waiting", "comparing", "marking", "repairing"]),
            )
        ]
        indexes = [
            models.Index(fields=["configuration", "-id"], name="provisioning_reconcile_latest"),
            models.Index(
                fields=["asked_at"], name="provisioning_reconcile_waiting", condition=Q(state="waiting")
            ),
            models.Index(fields=["ended_at"], name="provisioning_reconcile_ended"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_mode_display()} {self.pk} of {self.configuration}"

    @property
    def total(self) -> int:
        """Everything that differs."""
        return sum(count for by_type in self.counts.values() for count in by_type.values())


class DriftFinding(models.Model):
    """One difference. ``detail`` lists attributes as ``{"name", "written", "held"}``; names are of that moment.

    A membership names its group as the source and its member by ``member_id`` and ``member_name``; a member that
    nobody synchronizes has no ``member_id``.
    """

    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.CASCADE, related_name="findings", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=20, choices=DriftKind)
    object_type = models.PositiveSmallIntegerField(choices=ObjectType)
    source_id = models.BigIntegerField()
    source_guid = models.UUIDField()
    source_name = models.TextField()
    target_id = models.TextField()
    member_id = models.BigIntegerField(null=True)
    member_name = models.TextField(blank=True)
    detail = models.JSONField(default=list)

    class Meta:
        db_table = "provisioning_drift"
        indexes = [
            models.Index(fields=["reconciliation", "kind", "id"], name="provisioning_drift_kind"),
            models.Index(fields=["reconciliation", "id"], name="provisioning_drift_run"),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind}: {self.source_name}"

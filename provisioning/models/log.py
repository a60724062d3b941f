"""The provisioning log: one row per object and change, partitioned by day."""

from __future__ import annotations

from typing import Any

from django.db import models

from provisioning.models.change import ChangeKind


class LogAction(models.TextChoices):
    """Actions under the names of Entra's provisioning log."""

    CREATE = "Create", "Create"
    UPDATE = "Update", "Update"
    DELETE = "Delete", "Delete"
    DISABLE = "Disable", "Disable"
    STAGED_DELETE = "StagedDelete", "Staged delete"
    OTHER = "Other", "Other"


class LogStatus(models.TextChoices):
    """Outcomes under the names of Entra's provisioning log."""

    SUCCESS = "Success", "Success"
    FAILURE = "Failure", "Failure"
    SKIPPED = "Skipped", "Skipped"
    WARNING = "Warning", "Warning"


ACTION_OF = {
    ChangeKind.CREATE: LogAction.CREATE,
    ChangeKind.UPDATE: LogAction.UPDATE,
    ChangeKind.REFERENCE: LogAction.UPDATE,
    ChangeKind.RESTORE: LogAction.CREATE,
    ChangeKind.DISABLE: LogAction.DISABLE,
    ChangeKind.DELETE: LogAction.DELETE,
}


class ProvisioningLogEntry(models.Model):
    """One line of the log.

    The table is created by hand-written SQL: Django knows no partitions. ``stored_modified`` is the list
    :attr:`modified` or, of a creation, just the attributes that were written: there are no old values. The references
    that were written with them are in ``created_references``, for to join the two documents takes longer than to
    write both.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    configuration_id = models.UUIDField()
    cycle_id = models.BigIntegerField()
    object_type = models.PositiveSmallIntegerField()
    source_guid = models.UUIDField()
    source_name = models.TextField()
    target_id = models.TextField(blank=True)
    action = models.CharField(max_length=12, choices=LogAction)
    status = models.CharField(max_length=8, choices=LogStatus)
    error_code = models.CharField(max_length=80, blank=True)
    detail = models.TextField(blank=True)
    stored_modified = models.JSONField(default=list, db_column="modified")
    created_references = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "provisioning_log"
        ordering = ["-at", "-id"]
        verbose_name = "log entry"
        verbose_name_plural = "provisioning log"

    def __str__(self) -> str:
        return f"{self.action} {self.source_name}"

    @property
    def modified(self) -> list[dict[str, Any]]:
        """The modified properties, each as ``{"displayName", "oldValue", "newValue"}``."""
        if isinstance(self.stored_modified, dict):
            return [
                {"displayName": name, "oldValue": None, "newValue": value}
                for name, value in {**self.stored_modified, **(self.created_references or {})}.items()
            ]
        return list(self.stored_modified)

    @modified.setter
    def modified(self, properties: list[dict[str, Any]]) -> None:
        self.stored_modified = properties

"""The provisioning log: one row per object and change, partitioned by day."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from provisioning.models.change import ChangeKind
from provisioning.models.source import SourceObject


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


class NamesOf(models.Func):
    """The distinguished names of the source objects in an array of ids, sorted; none of what there is no more."""

    template = f"""ARRAY(SELECT named.dn FROM {SourceObject._meta.db_table} named
        WHERE named.id = ANY(%(expressions)s) ORDER BY named.dn)"""  # noqa: S608 — a table's name
    output_field = ArrayField(models.TextField())


class LogEntries(models.Manager["ProvisioningLogEntry"]):
    """Rows with the names of the members that they have by id: a page of them is one query."""

    def get_queryset(self) -> models.QuerySet[ProvisioningLogEntry]:
        """Each with what :attr:`ProvisioningLogEntry.member_names` tells."""
        return super().get_queryset().annotate(resolved_names=NamesOf("members"))


class ProvisioningLogEntry(models.Model):
    """One line of the log.

    The table is created by hand-written SQL: Django knows no partitions. ``stored_modified`` is the list
    :attr:`modified` or, of a creation, just the attributes that were written: there are no old values. The references
    that were written with them are in ``created_references``, for to join the two documents takes longer than to
    write both. Of a group that the cycle created ``members`` are the ids of the first members, which
    ``stored_modified`` counts: a million names take longer to collect than to look up the few that are read.
    They are source objects of the same configuration; before it forgets these their names take the place of the ids.
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
    members = ArrayField(models.BigIntegerField(), null=True)

    objects = LogEntries()

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
        if self.members is not None:
            return [{**one, "newValue": self.member_names} for one in self.stored_modified]
        return list(self.stored_modified)

    @modified.setter
    def modified(self, properties: list[dict[str, Any]]) -> None:
        self.stored_modified, self.members = properties, None

    @property
    def member_names(self) -> list[str]:
        """The names of ``members`` as they are now. An entry that does not come from :attr:`objects` asks for them."""
        resolved: list[str] | None = getattr(self, "resolved_names", None)
        if resolved is None:
            known = SourceObject.objects.filter(pk__in=self.members or ())
            resolved = list(known.order_by("dn").values_list("dn", flat=True))
        return resolved

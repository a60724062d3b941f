"""Objects that failed, each with its own clock."""

from __future__ import annotations

from django.db import models

from provisioning.models.configuration import Configuration
from provisioning.models.source import SourceObject


class Escrow(models.Model):
    """One object's failure record. ``retry_at`` is null once it was given up.

    ``wanted_hash`` and ``was_wanted`` tell what failed: an object that has changed since is tried at once.
    """

    source = models.OneToOneField(
        SourceObject, primary_key=True, on_delete=models.CASCADE, related_name="escrow", db_constraint=False
    )
    configuration = models.ForeignKey(Configuration, on_delete=models.CASCADE, related_name="escrows")
    error_code = models.CharField(max_length=80)
    error_detail = models.TextField(blank=True)
    first_failed_at = models.DateTimeField()
    last_failed_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=1)
    retry_at = models.DateTimeField(null=True)
    wanted_hash = models.BinaryField()
    was_wanted = models.BooleanField()

    class Meta:
        verbose_name_plural = "escrow"

    def __str__(self) -> str:
        return f"{self.error_code} of {self.source_id}"

"""How agents were: one row a bootstrap, kept for a week."""

from __future__ import annotations

from django.db import models

from agents.models.agent import Agent


class HealthSample(models.Model):
    """What an agent said of itself in one bootstrap.

    The numbers run since the process ``instance_id`` started; ``failed_bootstraps`` is how many failed in a row
    before this one. ``last_errors`` are codes with times, nothing else.
    """

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="health")
    at = models.DateTimeField(db_index=True)
    version = models.CharField(max_length=64)
    operating_system = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True)
    instance_id = models.UUIDField(null=True)
    host_fingerprint = models.CharField(max_length=64, blank=True)
    answered = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    objects_read = models.BigIntegerField(default=0)
    bytes_posted = models.BigIntegerField(default=0)
    reconnects = models.BigIntegerField(default=0)
    failed_bootstraps = models.PositiveIntegerField(default=0)
    last_errors = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["agent", "-at"], name="agents_health_agent")]
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.agent_id} at {self.at:%Y-%m-%d %H:%M:%S}"

"""Agent releases in a TUF repository, and the policy by which each agent takes them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models

from agents.models.agent import Agent
from agents.update_checks import check_version, check_zone


class UpdateKey(models.Model):
    """A signing key of one of the roles that sign by themselves; the root's key is never here."""

    role = models.CharField(max_length=20, unique=True)
    sealed_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Update key of {self.role}"


class UpdateFile(models.Model):
    """One file of the repository as agents get it: ``metadata/…`` or ``targets/…``."""

    path = models.CharField(primary_key=True, max_length=255)
    content = models.BinaryField()
    written_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.path


class AgentRelease(models.Model):
    """A published version of the agent; ``target`` is its name in the repository."""

    version = models.CharField(max_length=64, unique=True)
    target = models.CharField(max_length=200, unique=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["-published_at", "-id"]

    def __str__(self) -> str:
        return self.version


class UpdatePolicy(models.Model):
    """When an agent takes a release; an agent without a row takes every new one at once.

    The window is in the local time of ``timezone`` and may span midnight.
    """

    agent = models.OneToOneField(Agent, on_delete=models.CASCADE, related_name="update_policy")
    at_once = models.BooleanField(
        "update at once", default=False, help_text="Wins over the date and the window below."
    )
    deferred_until = models.DateTimeField("not before", null=True, blank=True)
    window_start = models.TimeField(null=True, blank=True)
    window_end = models.TimeField(null=True, blank=True)
    timezone = models.CharField("time zone", max_length=64, default="UTC", validators=[check_zone])
    pinned_version = models.CharField(
        max_length=64,
        blank=True,
        validators=[check_version],
        help_text="This version and no other, also if it is an older one.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(window_start__isnull=True, window_end__isnull=True)
                | models.Q(window_start__isnull=False, window_end__isnull=False),
                name="agents_policy_whole_window",
            )
        ]
        verbose_name_plural = "update policies"

    def __str__(self) -> str:
        return f"Update policy of {self.agent_id}"

    def clean(self) -> None:
        """A window has both its ends."""
        if (self.window_start is None) != (self.window_end is None):
            raise ValidationError("A daily window needs both its start and its end.")

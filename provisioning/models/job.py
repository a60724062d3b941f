"""The periodic worker of a configuration."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from provisioning.models.configuration import Configuration


class JobKind(models.TextChoices):
    """The jobs of a configuration, under the names of the original."""

    OBJECTS = "AD2AADProvisioning", "Objects"
    PASSWORD_HASHES = "AD2AADPasswordHash", "Password hashes"


class JobState(models.TextChoices):
    """Whether, and why not, a job runs."""

    DISABLED = "disabled", "Disabled"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    HELD = "held", "Held: delete threshold exceeded"
    QUARANTINED = "quarantined", "Quarantined"


class Job(models.Model):
    """One job. ``next_run_at`` is null while it is not to run; ``phase_s`` is its place in the interval.

    ``watermark`` is the agent's opaque cookie, moved only when a cycle has settled; empty asks for an
    initial cycle. ``current_cycle`` is set while a cycle is under way, so that there is never a second one.
    A quarantine began at ``state_since``, was imposed ``quarantine_count`` times, last at
    ``quarantine_imposed_at``, and ``quarantine_told`` lists the reasons that a mail was sent for.
    ``question`` is what agents were last asked (:class:`provisioning.engine.questions.Question`): stored objects hold
    at least that; ``evaluated_as`` is the digest of scope and mapping that they were last evaluated under.
    ``has_unmarked`` says that a full read has told of new objects, which it does not mark one by one: until a cycle has
    settled, every plan looks at all that are not linked.
    ``pending_reset`` names the reset scopes that wait for the end of the cycle under way.
    """

    configuration = models.ForeignKey(Configuration, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=24, choices=JobKind, default=JobKind.OBJECTS)
    state = models.CharField(max_length=12, choices=JobState, default=JobState.DISABLED)
    interval_s = models.PositiveIntegerField("interval (seconds)", default=120)
    phase_s = models.PositiveIntegerField(default=0, editable=False)
    next_run_at = models.DateTimeField(null=True, blank=True, editable=False)
    watermark = models.TextField(blank=True, editable=False)
    watermark_at = models.DateTimeField(null=True, blank=True, editable=False)
    question = models.JSONField(default=dict, editable=False)
    evaluated_as = models.CharField(max_length=32, blank=True, editable=False)
    has_unmarked = models.BooleanField(default=False, db_default=False, editable=False)
    current_cycle = models.ForeignKey(
        "provisioning.Cycle",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        editable=False,
    )
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)
    state_reason = models.CharField(max_length=80, blank=True, editable=False)
    state_detail = models.TextField(blank=True, editable=False)
    state_since = models.DateTimeField(null=True, blank=True, editable=False)
    quarantine_imposed_at = models.DateTimeField(null=True, blank=True, editable=False)
    quarantine_count = models.PositiveIntegerField(default=0, editable=False)
    quarantine_told = models.JSONField(default=list, editable=False)
    pending_reset = models.JSONField(default=list, editable=False)
    restart_requested = models.BooleanField(default=False, editable=False)
    deletes_allowed = models.BooleanField(default=False, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["configuration", "kind"], name="provisioning_job_once")
        ]
        indexes = [
            models.Index(
                fields=["next_run_at"],
                name="provisioning_job_due",
                condition=Q(next_run_at__isnull=False, current_cycle__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.configuration} · {self.get_kind_display()}"

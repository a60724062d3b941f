"""One run of a job, and how far it has come."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q

from provisioning.models.job import Job


class CycleKind(models.TextChoices):
    """Initial reads everything, delta what changed since the watermark, on demand one object.

    Three ask nobody: an undo, an evaluation, which looks at stored objects under another scope or mapping, and a
    reconcile, which reads the target and plans only where it repairs.
    """

    INITIAL = "initial", "Initial"
    DELTA = "delta", "Delta"
    ON_DEMAND = "on_demand", "On demand"
    UNDO = "undo", "Undo"
    EVALUATION = "evaluation", "Evaluation"
    RECONCILE = "reconcile", "Reconcile"


# Kinds that name the objects of the domain as they read.
READING_KINDS = (CycleKind.INITIAL, CycleKind.DELTA)


class CycleStep(models.TextChoices):
    """The step a cycle is in. A crash is repaired by running the step again."""

    READING = "reading", "Reading"
    PLANNING = "planning", "Planning"
    EXPORTING = "exporting", "Exporting"
    SETTLING = "settling", "Settling"
    HELD = "held", "Held"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


# Steps in which somebody of ours has to act next; a held cycle waits for a person.
MOVING_STEPS = (CycleStep.READING, CycleStep.PLANNING, CycleStep.EXPORTING, CycleStep.SETTLING)


class Cycle(models.Model):
    """One cycle. ``moved_at`` is when it last made progress; the watchdog looks at nothing else.

    ``read_attempt`` and ``pages_read`` say how much of which attempt of the bus request is ingested.
    ``read_as`` is the digest of scope and mapping that all pages so far were read under, empty where these differ.
    ``source_id`` is the one object of a cycle on demand, ``undoes`` the cycle that an undo takes back.
    ``keeps_traces`` is false for cycles of versions that did not keep which memberships they wrote, and what a
    deletion took along: those can not be undone.
    """

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="cycles")
    correlation_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=CycleKind)
    step = models.CharField(max_length=10, choices=CycleStep, default=CycleStep.READING)
    request_id = models.UUIDField(null=True, unique=True)
    read_attempt = models.PositiveSmallIntegerField(default=0)
    pages_read = models.PositiveIntegerField(default=0)
    read_as = models.CharField(max_length=32, blank=True, editable=False)
    source_id = models.BigIntegerField(null=True, editable=False)
    undoes = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="undone_by", editable=False
    )
    keeps_traces = models.BooleanField(default=True, editable=False)
    export_phase = models.PositiveSmallIntegerField(default=0)
    new_watermark = models.TextField(blank=True)
    started_at = models.DateTimeField()
    moved_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    count_imported = models.PositiveIntegerField(default=0)
    count_planned = models.PositiveIntegerField(default=0)
    count_exported = models.PositiveIntegerField(default=0)
    count_failed = models.PositiveIntegerField(default=0)
    notes = models.JSONField(default=list)
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["moved_at"],
                name="provisioning_cycle_moving",
                condition=Q(step__in=["reading", "planning", "exporting", "settling"]),
            ),
            models.Index(fields=["job", "-id"], name="provisioning_cycle_of_job"),
            models.Index(fields=["ended_at"], name="provisioning_cycle_ended"),
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} cycle {self.pk}"

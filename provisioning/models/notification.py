"""Mails to be sent: written with the event, sent after, never twice."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from provisioning.models.configuration import Configuration


class NotificationState(models.TextChoices):
    """The life of a mail. ``uncertain``: the process died while handing it over; it is not sent again."""

    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    UNCERTAIN = "uncertain", "Uncertain"


class Notification(models.Model):
    """One mail for one event; ``event_key`` makes a second one for the same event impossible."""

    event_key = models.CharField(max_length=200, unique=True)
    template = models.CharField(max_length=60)
    configuration = models.ForeignKey(
        Configuration, null=True, on_delete=models.CASCADE, related_name="notifications"
    )
    subject = models.CharField(max_length=200)
    context = models.JSONField(default=dict)
    recipients = ArrayField(models.EmailField())
    state = models.CharField(max_length=10, choices=NotificationState, default=NotificationState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="provisioning_mail_due",
                condition=Q(state__in=["pending", "sending"]),
            )
        ]
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.subject

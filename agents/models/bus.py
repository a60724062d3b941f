"""The service bus as rows: requests wait in order, agents lease them, answers come back in numbered pages."""

from __future__ import annotations

import uuid

from django.db import models

from agents.models.agent import Agent, Domain


class RequestState(models.TextChoices):
    """The life of a bus request."""

    QUEUED = "queued", "Queued"
    LEASED = "leased", "Leased"
    ANSWERED = "answered", "Answered"
    FAILED = "failed", "Failed"


class BusRequest(models.Model):
    """One message to the agents of a domain; exactly one agent answers it.

    ``attempt`` numbers the leases; pages belong to an attempt, so that an agent that takes over starts afresh.
    ``tries`` counts the attempts that came to nothing; a lease handed back in good order costs none.
    ``pages_in`` is the number of pages of the current attempt, ``last_page`` that of the final page, known
    once it is in. An agent that gave up (``refused_by``) is offered the request again from ``refused_until`` on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="requests")
    kind = models.CharField(max_length=20)
    body = models.JSONField()
    correlation_id = models.UUIDField()
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.QUEUED)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    leased_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    lease_expires_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    refused_by = models.ForeignKey(Agent, null=True, on_delete=models.SET_NULL, related_name="+")
    refused_until = models.DateTimeField(null=True)
    pages_in = models.PositiveIntegerField(default=0)
    last_page = models.PositiveIntegerField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error_detail = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["domain", "created_at"],
                name="agents_request_queued",
                condition=models.Q(state="queued"),
            ),
            models.Index(
                fields=["lease_expires_at"],
                name="agents_request_leased",
                condition=models.Q(state="leased"),
            ),
            models.Index(
                fields=["expires_at"],
                name="agents_request_open",
                condition=models.Q(state__in=["queued", "leased"]),
            ),
            models.Index(
                fields=["ended_at"],
                name="agents_request_ended",
                condition=models.Q(ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class BusPage(models.Model):
    """One page of an answer as the agent sent it: gzip'd JSON, read once and dropped with its request."""

    request = models.ForeignKey(BusRequest, on_delete=models.CASCADE, related_name="pages")
    attempt = models.PositiveSmallIntegerField()
    number = models.PositiveIntegerField()
    is_last = models.BooleanField()
    body = models.BinaryField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "attempt", "number"], name="agents_page_once")
        ]

    def __str__(self) -> str:
        return f"page {self.number} of {self.request_id}"

"""What lets an agent in: one-time tokens, our certificate authority, and the assertions already seen."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from agents.models.agent import Agent


class EnrolmentToken(models.Model):
    """A one-time token for one registration; only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=120, blank=True, help_text="What the token is for.")
    hint = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, editable=False, related_name="+"
    )
    issued_to = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The Entra account that signed in for it."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    used_by = models.ForeignKey(
        Agent, null=True, blank=True, on_delete=models.SET_NULL, editable=False, related_name="+"
    )

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.label or self.hint


class CertificateAuthority(models.Model):
    """Our own certificate authority; the private key is sealed."""

    certificate = models.TextField()
    sealed_key = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "certificate authorities"

    def __str__(self) -> str:
        return f"Certificate authority of {self.created_at:%Y-%m-%d}"


class SeenAssertion(models.Model):
    """An accepted client assertion or sign-in, kept until it could no longer be replayed.

    ``jti`` is the SHA-256 of agent id and ``jti`` claim, so that agents can not use up ids of one another, or of an
    ID token.
    """

    jti = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.jti

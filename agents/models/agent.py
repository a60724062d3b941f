"""Agents, the AD domains they serve, and the assignment of one to the other."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Lower


class AgentState(models.TextChoices):
    """What the heartbeat says of an agent; a function of its last bootstrap and of revocation."""

    ACTIVE = "active", "Active"
    LATE = "late", "Late"
    INACTIVE = "inactive", "Inactive"
    REVOKED = "revoked", "Revoked"


class Domain(models.Model):
    """One AD domain. ``agentless_since`` is set while no active agent serves it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fqdn = models.CharField("FQDN", max_length=255)
    netbios = models.CharField("NetBIOS name", max_length=15)
    forest = models.CharField("forest FQDN", max_length=255)
    sid = models.CharField("SID", max_length=190)
    created_at = models.DateTimeField(auto_now_add=True)
    agentless_since = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(Lower("fqdn"), name="agents_domain_fqdn")]
        ordering = ["fqdn"]

    def __str__(self) -> str:
        return self.fqdn


class Agent(models.Model):
    """A registered on-premises program with a certificate of its own.

    ``state_due_at`` is the precomputed moment at which the state changes unless the agent bootstraps before.
    After a renewal the certificate before it stays good until the new one is first used: the answer that
    carried the new one may have been lost. ``cloned_since`` is set while two hosts are believed to use the certificate.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=255, help_text="Name of the host the agent runs on.")
    version = models.CharField(max_length=64, blank=True)
    operating_system = models.CharField(max_length=255, blank=True)
    external_ip = models.GenericIPAddressField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=10, choices=AgentState, default=AgentState.INACTIVE, editable=False)
    registered_at = models.DateTimeField(auto_now_add=True)
    last_bootstrap_at = models.DateTimeField(null=True, blank=True, editable=False)
    next_bootstrap_at = models.DateTimeField(null=True, blank=True, editable=False)
    state_due_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    certificate = models.TextField(editable=False)
    certificate_thumbprint = models.CharField(max_length=43, unique=True, editable=False)
    certificate_not_after = models.DateTimeField(editable=False)
    previous_certificate = models.TextField(blank=True, editable=False)
    previous_thumbprint = models.CharField(max_length=43, null=True, unique=True, editable=False)
    report = models.JSONField(default=dict, blank=True, editable=False)
    instance_id = models.UUIDField(null=True, editable=False)
    host_fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    sequence = models.CharField(max_length=64, blank=True, editable=False)
    previous_sequence = models.CharField(max_length=64, blank=True, editable=False)
    cloned_since = models.DateTimeField(null=True, blank=True, editable=False)
    clone_evidence = models.CharField(max_length=400, blank=True, editable=False)
    domains = models.ManyToManyField(Domain, through="ResourceGrouping", related_name="agents")

    class Meta:
        indexes = [
            models.Index(
                fields=["state_due_at"],
                name="agents_agent_overdue",
                condition=models.Q(state_due_at__isnull=False),
            )
        ]
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ResourceGrouping(models.Model):
    """The assignment of an agent to a domain it serves."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="groupings")
    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="groupings")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "domain"], name="agents_grouping_once")]

    def __str__(self) -> str:
        return f"{self.agent} serves {self.domain}"

"""The history of agents' states: one row a flip."""

from __future__ import annotations

from django.db import models

from agents.models.agent import Agent, AgentState


class StateChange(models.Model):
    """One agent went from one state to another."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="state_changes")
    at = models.DateTimeField()
    before = models.CharField(max_length=10, choices=AgentState)
    after = models.CharField(max_length=10, choices=AgentState)
    reason = models.CharField(max_length=255)

    class Meta:
        indexes = [models.Index(fields=["agent", "-at"], name="agents_statechange_agent")]
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.agent}: {self.before} → {self.after}"

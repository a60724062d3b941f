"""Releases of the agent, and the policy by which one agent takes them."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as ModelError
from django.utils import timezone
from rest_framework import serializers

from agents.models import AgentRelease, UpdatePolicy
from agents.updates import advice


class ReleaseSerializer(serializers.ModelSerializer[AgentRelease]):
    """One published version."""

    class Meta:
        model = AgentRelease
        fields = ("id", "version", "target", "sha256", "size", "published_at")
        read_only_fields = fields


class PolicySerializer(serializers.ModelSerializer[UpdatePolicy]):
    """When an agent takes a new version, and what that comes to right now."""

    advice = serializers.SerializerMethodField()

    class Meta:
        model = UpdatePolicy
        fields = (
            "pinned_version",
            "at_once",
            "deferred_until",
            "window_start",
            "window_end",
            "timezone",
            "advice",
        )

    def get_advice(self, policy: UpdatePolicy) -> dict[str, Any]:
        """The version to run, whether it is taken now, why, and when if not now."""
        found = advice.for_agent(policy.agent, timezone.now())
        return {"version": found.version, "now": found.now, "reason": found.reason.value, "at": found.at}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What concerns several fields is checked where the model does."""
        known = self.instance or UpdatePolicy()
        wanted = {name: getattr(known, name) for name in ("window_start", "window_end")} | attrs
        try:
            UpdatePolicy(window_start=wanted["window_start"], window_end=wanted["window_end"]).clean()
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from error
        return attrs

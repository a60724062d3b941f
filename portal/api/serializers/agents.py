"""Agents, domains and enrolment tokens."""

from __future__ import annotations

from rest_framework import serializers

from agents.models import Agent, Domain, EnrolmentToken, HealthSample
from portal.console.enrolment import LONGEST_HOURS


class DomainSerializer(serializers.ModelSerializer[Domain]):
    """One AD domain."""

    class Meta:
        model = Domain
        fields = ("id", "fqdn", "netbios", "forest", "sid", "created_at", "agentless_since")


class DomainNameSerializer(serializers.ModelSerializer[Domain]):
    """A domain where it is only mentioned."""

    class Meta:
        model = Domain
        fields = ("id", "fqdn")


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """One agent with the domains it serves."""

    domains = DomainNameSerializer(many=True, read_only=True)

    class Meta:
        model = Agent
        fields = (
            "id",
            "name",
            "state",
            "version",
            "operating_system",
            "external_ip",
            "registered_at",
            "last_bootstrap_at",
            "next_bootstrap_at",
            "certificate_not_after",
            "certificate_thumbprint",
            "revoked_at",
            "cloned_since",
            "clone_evidence",
            "domains",
        )
        read_only_fields = fields


class HealthSerializer(serializers.ModelSerializer[HealthSample]):
    """What an agent said of itself in one bootstrap; the numbers run since its process started."""

    class Meta:
        model = HealthSample
        fields = (
            "id",
            "at",
            "version",
            "operating_system",
            "address",
            "instance_id",
            "answered",
            "failed",
            "objects_read",
            "bytes_posted",
            "reconnects",
            "failed_bootstraps",
            "last_errors",
        )
        read_only_fields = fields


class EnrolmentTokenSerializer(serializers.ModelSerializer[EnrolmentToken]):
    """A token without its secret."""

    class Meta:
        model = EnrolmentToken
        fields = ("id", "label", "hint", "issued_to", "created_at", "expires_at", "used_at", "used_by")
        read_only_fields = fields


class NewTokenSerializer(serializers.Serializer[EnrolmentToken]):
    """What a token is for and how long it may wait."""

    label = serializers.CharField(  # type: ignore[assignment]  # a field of that name, as the model has it
        max_length=120, required=False, allow_blank=True, default=""
    )
    hours = serializers.IntegerField(min_value=1, max_value=LONGEST_HOURS, default=24)


class CreatedTokenSerializer(EnrolmentTokenSerializer):
    """A new token with its clear text, which is shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(EnrolmentTokenSerializer.Meta):
        fields = (*EnrolmentTokenSerializer.Meta.fields, "token")  # type: ignore[assignment]  # one more


class AgentCountsSerializer(serializers.Serializer[dict[str, int]]):
    """Agents by state."""

    active = serializers.IntegerField()
    late = serializers.IntegerField()
    inactive = serializers.IntegerField()
    revoked = serializers.IntegerField()


class HeartbeatSerializer(serializers.Serializer[dict[str, object]]):
    """The heartbeat in one document."""

    agents = AgentCountsSerializer()
    troubled = AgentSerializer(many=True)
    agentless_domains = DomainSerializer(many=True)

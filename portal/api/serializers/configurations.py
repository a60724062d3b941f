"""Targets, configurations, jobs, cycles, removals and the log."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from provisioning.engine import schema as schema_documents
from provisioning.engine.quarantine import graph_reason
from provisioning.engine.restart import DEFAULT, ResetScope
from provisioning.models import Configuration, Cycle, Job, JobState, ObjectType, ProvisioningLogEntry, Target
from provisioning.models.guard_limits import GUARD_FIELDS
from provisioning.services import configurations, restarting, scopes, target_settings

# Changes that a preview lists in full.
PREVIEWED = 100


class MatchingSerializer(serializers.Serializer[Any]):
    """What the built-in directory lets be matched, and whether duplicate values are parked."""

    blocks_hard_match = serializers.BooleanField(required=False)
    blocks_soft_match = serializers.BooleanField(required=False)
    parks_duplicates = serializers.BooleanField(required=False)
    initial_domain = serializers.RegexField(
        r"^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$", max_length=255, required=False
    )


class OnDemandSerializer(serializers.Serializer[dict[str, Any]]):
    """One object by objectGUID, DN or UPN; ``forced`` writes it although the scope leaves it out."""

    object = serializers.CharField(max_length=4_096)
    forced = serializers.BooleanField(default=False)


class TargetSerializer(serializers.ModelSerializer[Target]):
    """Where a configuration writes to. Credentials are never shown."""

    matching = MatchingSerializer(source="match_policy", required=False)

    class Meta:
        model = Target
        fields = ("id", "name", "kind", "matching")

    def create(self, validated_data: dict[str, Any]) -> Target:
        """Switches that are not named stay as they are by default."""
        matching = validated_data.pop("match_policy", {})
        settings = target_settings.changed(validated_data.get("settings", {}), matching)
        return Target.objects.create(**validated_data, settings=settings)

    def update(self, instance: Target, validated_data: dict[str, Any]) -> Target:
        """The kind of a target stays what it was when it was created."""
        if validated_data.get("kind", instance.kind) != instance.kind:
            raise serializers.ValidationError({"kind": ["This can not change; create another target."]})
        matching = validated_data.pop("match_policy", {})
        instance.settings = target_settings.changed(instance.settings, matching)
        return super().update(instance, validated_data)

    def to_representation(self, instance: Target) -> dict[str, Any]:
        """With the switches as they are in force."""
        policy = asdict(target_settings.policy_of(instance.settings))
        shown = {name: getattr(instance, name) for name in ("id", "name", "kind")}
        return {**shown, "matching": policy}


class JobStateSerializer(serializers.ModelSerializer[Job]):
    """A job where it is only mentioned."""

    class Meta:
        model = Job
        fields = ("id", "kind", "state")
        read_only_fields = fields


class ConfigurationSerializer(serializers.ModelSerializer[Configuration]):
    """A configuration without its schema document."""

    jobs = JobStateSerializer(many=True, read_only=True)

    class Meta:
        model = Configuration
        fields: tuple[str, ...] = (
            "id",
            "name",
            "domain",
            "target",
            "notification_addresses",
            *GUARD_FIELDS,
            "expire_accounts",
            "skip_out_of_scope_deletions",
            "nested_groups",
            "reconcile",
            "reconcile_hours",
            "reconciled_at",
            "created_at",
            "updated_at",
            "jobs",
        )

    def create(self, validated_data: dict[str, Any]) -> Configuration:
        """The service gives it its schema and its job; it is disabled until its job is started."""
        return configurations.create(**validated_data)

    def update(self, instance: Configuration, validated_data: dict[str, Any]) -> Configuration:
        """Domain and target stay what they were when it was created."""
        for name in ("domain", "target"):
            if name in validated_data and validated_data[name] != getattr(instance, name):
                raise serializers.ValidationError(
                    {name: ["This can not change; create another configuration."]}
                )
        return super().update(instance, validated_data)


class ConfigurationDetailSerializer(ConfigurationSerializer):
    """A configuration with its schema document, in the shape of Graph's synchronizationSchema."""

    schema = serializers.JSONField(required=False)

    class Meta(ConfigurationSerializer.Meta):
        fields = (*ConfigurationSerializer.Meta.fields, "schema")

    def validate_schema(self, document: Any) -> Any:
        """Refuse a document that could not be run."""
        if self.instance is not None:
            document = scopes.resolved(self.instance, document)
        schema_documents.load(document)
        return document

    def create(self, validated_data: dict[str, Any]) -> Configuration:
        """With the default schema, unless one is given."""
        document = validated_data.pop("schema", None)
        created = super().create(validated_data)
        return self._with_schema(created, document)

    def update(self, instance: Configuration, validated_data: dict[str, Any]) -> Configuration:
        """A changed schema makes every job read all objects again."""
        document = validated_data.pop("schema", None)
        return self._with_schema(super().update(instance, validated_data), document)

    def _with_schema(self, configuration: Configuration, document: dict[str, Any] | None) -> Configuration:
        if document is not None and document != configuration.schema:
            configurations.change_schema(configuration, document, timezone.now())
        return configuration


class PreviewSerializer(serializers.Serializer[Any]):
    """A schema document to be tried, and how many changes to list in full."""

    schema = serializers.JSONField()
    limit = serializers.IntegerField(min_value=0, max_value=10_000, default=PREVIEWED)


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job: whether it runs, and when next."""

    quarantine = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "configuration",
            "kind",
            "state",
            "state_reason",
            "state_detail",
            "state_since",
            "interval_s",
            "next_run_at",
            "last_success_at",
            "watermark_at",
            "failures_in_a_row",
            "current_cycle",
            "quarantine",
        )
        read_only_fields = fields

    def get_quarantine(self, job: Job) -> dict[str, Any] | None:
        """In the shape of Graph's synchronizationQuarantine; null for a job that is not in quarantine."""
        if job.state != JobState.QUARANTINED:
            return None
        return {
            "reason": graph_reason(job.state_reason),
            "currentBegan": job.quarantine_imposed_at,
            "nextAttempt": job.next_run_at,
            "seriesBegan": job.state_since,
            "seriesCount": job.quarantine_count,
            "error": {"code": job.state_reason, "message": job.state_detail, "tenantActionable": True},
        }


class CriteriaSerializer(serializers.Serializer[Job]):
    """Graph's synchronizationJobRestartCriteria."""

    resetScope = serializers.CharField(allow_blank=True, default="")  # noqa: N815 — Graph's name


class RestartSerializer(serializers.Serializer[Job]):
    """How to restart: by reset scopes, or simply from the start (``full``) or on from the watermark."""

    full = serializers.BooleanField(default=True)
    criteria = CriteriaSerializer(required=False)

    def scopes(self) -> frozenset[ResetScope]:
        """What is to be forgotten; raises :class:`JobRefused` for a scope that is unknown."""
        criteria = self.validated_data.get("criteria")
        if criteria is not None:
            return restarting.scopes_of(criteria["resetScope"])
        return DEFAULT if self.validated_data["full"] else frozenset({ResetScope.QUARANTINE_STATE})


class RemovalSerializer(serializers.Serializer[Any]):
    """One object that a held job would delete or disable."""

    kind = serializers.CharField()
    object_type = serializers.CharField()
    name = serializers.CharField()
    guid = serializers.UUIDField(allow_null=True)
    dn = serializers.CharField()
    reason = serializers.CharField()
    target_id = serializers.CharField()


class MembershipRemovalSerializer(serializers.Serializer[Any]):
    """One membership that a held job would end."""

    group = serializers.CharField()
    group_guid = serializers.UUIDField(allow_null=True)
    member = serializers.CharField()
    member_guid = serializers.UUIDField(allow_null=True)


class CycleSerializer(serializers.ModelSerializer[Cycle]):
    """One run of a job."""

    configuration = serializers.UUIDField(source="job.configuration_id", read_only=True)

    class Meta:
        model = Cycle
        fields = (
            "id",
            "job",
            "configuration",
            "correlation_id",
            "kind",
            "undoes",
            "step",
            "started_at",
            "moved_at",
            "ended_at",
            "pages_read",
            "count_imported",
            "count_planned",
            "count_exported",
            "count_failed",
            "notes",
            "error_code",
            "error_detail",
        )
        read_only_fields = fields


class LogEntrySerializer(serializers.ModelSerializer[ProvisioningLogEntry]):
    """One row of the provisioning log."""

    object_type = serializers.SerializerMethodField()

    class Meta:
        model = ProvisioningLogEntry
        fields = (
            "id",
            "at",
            "configuration_id",
            "cycle_id",
            "object_type",
            "source_guid",
            "source_name",
            "target_id",
            "action",
            "status",
            "error_code",
            "detail",
            "modified",
        )
        read_only_fields = fields

    def get_object_type(self, entry: ProvisioningLogEntry) -> str:
        """``user``, ``group`` or ``contact``."""
        return ObjectType(entry.object_type).label

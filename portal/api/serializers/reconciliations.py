"""Reconciliations and what they found."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from provisioning.models import DriftFinding, ObjectType, Reconciliation, ReconciliationMode


class ReconcileSerializer(serializers.Serializer[Any]):
    """What to do about drift: ``report`` or ``repair``."""

    mode = serializers.ChoiceField(choices=ReconciliationMode.choices, default=ReconciliationMode.REPORT)


class ReconciliationSerializer(serializers.ModelSerializer[Reconciliation]):
    """One run; ``counts`` by kind of drift and type of object are complete."""

    total = serializers.IntegerField(read_only=True)

    class Meta:
        model = Reconciliation
        fields = (
            "id",
            "configuration",
            "cycle",
            "mode",
            "is_scheduled",
            "state",
            "asked_at",
            "started_at",
            "ended_at",
            "count_compared",
            "total",
            "counts",
            "error_code",
            "error_detail",
        )
        read_only_fields = fields


class DriftFindingSerializer(serializers.ModelSerializer[DriftFinding]):
    """One difference."""

    object_type = serializers.SerializerMethodField()

    class Meta:
        model = DriftFinding
        fields = (
            "id",
            "kind",
            "object_type",
            "source_guid",
            "source_name",
            "target_id",
            "member_name",
            "detail",
        )
        read_only_fields = fields

    def get_object_type(self, finding: DriftFinding) -> str:
        """``user``, ``group`` or ``contact``."""
        return ObjectType(finding.object_type).label

"""Reconciliations and what they found."""

from __future__ import annotations

from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from portal.api.pagination import IdPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.reconciliations import DriftFindingSerializer, ReconciliationSerializer
from portal.api.views.pages import page_of
from provisioning.models import DriftFinding, DriftKind, Reconciliation


class ReconciliationViewSet(ReadOnlyModelViewSet[Reconciliation]):
    """Comparisons of a target with what was last exported, the newest first."""

    queryset = Reconciliation.objects.order_by("-id")
    serializer_class = ReconciliationSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_fields = ("configuration", "mode", "state", "is_scheduled")
    ordering = ("-id",)
    action_rights: Mapping[str, str] = {"findings": "provisioning.view_sourceobject"}

    @extend_schema(
        parameters=[OpenApiParameter("kind", str, enum=DriftKind.values)],
        responses=DriftFindingSerializer(many=True),
    )
    @action(detail=True, filter_backends=())
    def findings(self, request: Request, pk: str) -> Response:
        """The first differences of each kind."""
        rows = DriftFinding.objects.filter(reconciliation=self.get_object())
        kind = request.query_params.get("kind")
        if kind is not None and kind not in DriftKind.values:
            raise ValidationError({"kind": [f"Give one of {', '.join(DriftKind.values)}."]})
        self.ordering = ("id",)
        page = page_of(self, rows.filter(kind=kind) if kind else rows)
        return self.get_paginated_response(DriftFindingSerializer(page, many=True).data)

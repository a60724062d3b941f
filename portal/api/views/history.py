"""Cycles and the provisioning log."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.viewsets import ReadOnlyModelViewSet

from portal.api.filters import CycleFilter, LogFilter
from portal.api.pagination import IdPages, LogPages, page_size
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.configurations import CycleSerializer, LogEntrySerializer
from portal.api.serializers.undo import UndoMembershipSerializer, UndoRowSerializer, UndoSerializer, told
from portal.console import audit
from provisioning.models import Cycle, ProvisioningLogEntry
from provisioning.services import undo_listing, undoing
from provisioning.tasks import set_moving

_SEE = "provisioning.view_sourceobject"
_PAGED = [OpenApiParameter("cursor", str), OpenApiParameter("page_size", int)]


class CycleViewSet(ReadOnlyModelViewSet[Cycle]):
    """Runs of jobs, the newest first."""

    queryset = Cycle.objects.select_related("job").defer("new_watermark", "job__watermark").order_by("-id")
    serializer_class = CycleSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_class = CycleFilter
    ordering = ("-id",)
    action_rights: Mapping[str, str] = {
        "undo_preview": _SEE,
        "undo_objects": _SEE,
        "undo_memberships": _SEE,
        "undo": "provisioning.change_job",
    }

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, url_path="undo", filter_backends=(), pagination_class=None)
    def undo_preview(self, request: Request, pk: str) -> Response:
        """What undoing the cycle would do now, in numbers. Nothing is changed."""
        return Response(told(undoing.preview(self.get_object(), timezone.now())))

    @extend_schema(request=UndoSerializer, responses={202: CycleSerializer})
    @undo_preview.mapping.post
    def undo(self, request: Request, pk: str) -> Response:
        """Put back the old values of what the cycle wrote, by a cycle of its own; the job is paused."""
        wanted = UndoSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        cycle = self.get_object()
        begun, hints = undoing.start(cycle, timezone.now(), fingerprint=wanted.validated_data["fingerprint"])
        set_moving(hints)
        audit.record(request.user, cycle.job.configuration, audit.undone(cycle.pk, begun.pk))
        return Response(CycleSerializer(begun).data, status=202)

    @extend_schema(
        parameters=[*_PAGED, OpenApiParameter("left_alone", bool, description="only what is left alone")],
        responses=UndoRowSerializer(many=True),
    )
    @action(detail=True, url_path="undo/objects", filter_backends=(), pagination_class=None)
    def undo_objects(self, request: Request, pk: str) -> Response:
        """What undoing the cycle would do to each object, and what it would leave alone."""
        cycle, only = self.get_object(), request.query_params.get("left_alone", "").lower() in ("1", "true")
        return self._page(
            UndoRowSerializer,
            lambda after, limit: undo_listing.objects(
                cycle, timezone.now(), after=after, limit=limit, only_conflicts=only
            ),
        )

    @extend_schema(parameters=_PAGED, responses=UndoMembershipSerializer(many=True))
    @action(detail=True, url_path="undo/memberships", filter_backends=(), pagination_class=None)
    def undo_memberships(self, request: Request, pk: str) -> Response:
        """The memberships that undoing the cycle would add and remove."""
        cycle = self.get_object()
        return self._page(
            UndoMembershipSerializer,
            lambda after, limit: undo_listing.memberships(cycle, after=after, limit=limit),
        )

    def _page(
        self, serializer: Callable[..., Any], read: Callable[[str, int], tuple[Sequence[Any], str]]
    ) -> Response:
        try:
            rows, following = read(self.request.query_params.get("cursor", ""), page_size(self.request))
        except ValueError as error:
            raise NotFound("Invalid cursor") from error
        here = self.request.build_absolute_uri()
        address = replace_query_param(here, "cursor", following) if following else None
        return Response({"next": address, "previous": None, "results": serializer(rows, many=True).data})


class LogViewSet(ReadOnlyModelViewSet[ProvisioningLogEntry]):
    """What was done to which object, the newest first."""

    queryset = ProvisioningLogEntry.objects.all()
    serializer_class = LogEntrySerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = LogPages
    filterset_class = LogFilter

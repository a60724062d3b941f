"""Cycles and the provisioning log."""

from __future__ import annotations

from rest_framework.viewsets import ReadOnlyModelViewSet

from portal.api.filters import CycleFilter, LogFilter
from portal.api.pagination import IdPages, LogPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.configurations import CycleSerializer, LogEntrySerializer
from provisioning.models import Cycle, ProvisioningLogEntry


class CycleViewSet(ReadOnlyModelViewSet[Cycle]):
    """Runs of jobs, the newest first."""

    queryset = Cycle.objects.select_related("job").defer("new_watermark", "job__watermark").order_by("-id")
    serializer_class = CycleSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_class = CycleFilter
    ordering = ("-id",)


class LogViewSet(ReadOnlyModelViewSet[ProvisioningLogEntry]):
    """What was done to which object, the newest first."""

    queryset = ProvisioningLogEntry.objects.all()
    serializer_class = LogEntrySerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = LogPages
    filterset_class = LogFilter

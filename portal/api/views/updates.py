"""Releases of the agent."""

from __future__ import annotations

from rest_framework.viewsets import ReadOnlyModelViewSet

from agents.models import AgentRelease
from portal.api.pagination import IdPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.updates import ReleaseSerializer


class ReleaseViewSet(ReadOnlyModelViewSet[AgentRelease]):
    """The published versions of the agent, the newest first."""

    queryset = AgentRelease.objects.all()
    serializer_class = ReleaseSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    ordering = ("-id",)

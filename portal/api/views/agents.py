"""Agents, domains, enrolment tokens and the heartbeat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from agents import cloning
from agents.enrolment import create_token
from agents.models import Agent, Domain, EnrolmentToken, UpdatePolicy
from agents.revocation import revoke
from portal.api.errors import ApiError
from portal.api.pagination import IdPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.agents import (
    AgentSerializer,
    CreatedTokenSerializer,
    DomainSerializer,
    EnrolmentTokenSerializer,
    HealthSerializer,
    HeartbeatSerializer,
    NewTokenSerializer,
)
from portal.api.serializers.updates import PolicySerializer
from portal.api.views.pages import page_of
from portal.console import audit, overview


class AgentViewSet(ReadOnlyModelViewSet[Agent]):
    """Registered agents."""

    queryset = Agent.objects.defer("certificate", "report").prefetch_related("domains")
    serializer_class = AgentSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_fields = ("state", "name", "domains")
    ordering = ("id",)
    action_rights = {"revoke": "agents.change_agent", "not_cloned": "agents.change_agent"}

    @extend_schema(request=None, responses=AgentSerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Put the agent out: its certificate and bus token stop working at once."""
        agent = self.get_object()
        if not revoke(agent, timezone.now()):
            raise ApiError("AgentRevoked")
        audit.record(request.user, agent, "Revoked")
        agent.refresh_from_db()
        return Response(self.get_serializer(agent).data)

    @extend_schema(responses=HealthSerializer(many=True))
    @action(detail=True, methods=["get"])
    def health(self, request: Request, pk: str) -> Response:
        """Its bootstraps of the last seven days, the newest first, with counters and last errors."""
        self.ordering = ("-id",)
        rows = page_of(self, self.get_object().health.all())
        return self.get_paginated_response(HealthSerializer(rows, many=True).data)

    @extend_schema(request=PolicySerializer, responses=PolicySerializer)
    @action(detail=True, methods=["get", "put", "patch"], url_path="update-policy")
    def update_policy(self, request: Request, pk: str) -> Response:
        """When the agent takes a new version. Without a policy it takes every new one at once."""
        agent = self.get_object()
        policy = UpdatePolicy.objects.filter(agent=agent).first() or UpdatePolicy(agent=agent)
        if request.method == "GET":
            return Response(PolicySerializer(policy).data)
        wanted = PolicySerializer(policy, data=request.data, partial=request.method == "PATCH")
        wanted.is_valid(raise_exception=True)
        wanted.save()
        audit.record(request.user, agent, f"Update policy: {', '.join(wanted.validated_data)}")
        return Response(wanted.data)

    @extend_schema(request=None, responses=AgentSerializer)
    @action(detail=True, methods=["post"], url_path="not-cloned")
    def not_cloned(self, request: Request, pk: str) -> Response:
        """The copy of this agent is stopped: take the flag back. A copy that goes on is flagged again."""
        agent = self.get_object()
        if cloning.clear(agent):
            audit.record(request.user, agent, "Two hosts: the copy is stopped")
        agent.refresh_from_db()
        return Response(self.get_serializer(agent).data)


class DomainViewSet(ReadOnlyModelViewSet[Domain]):
    """AD domains, created by the first agent that serves them."""

    queryset = Domain.objects.all()
    serializer_class = DomainSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_fields = ("fqdn", "forest")
    ordering = ("id",)


class EnrolmentTokenViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    GenericViewSet[EnrolmentToken],
):
    """One-time enrolment tokens. The clear text is in the answer to the creation and nowhere else."""

    queryset = EnrolmentToken.objects.defer("digest")
    serializer_class = EnrolmentTokenSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    ordering = ("id",)

    @extend_schema(request=NewTokenSerializer, responses={201: CreatedTokenSerializer})
    def create(self, request: Request) -> Response:
        """Create a token and show it this once."""
        wanted = NewTokenSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        lifetime = timedelta(hours=wanted.validated_data["hours"])
        token, clear_text = create_token(wanted.validated_data["label"], lifetime, request.user)
        body = {**EnrolmentTokenSerializer(token).data, "token": clear_text}
        return Response(body, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class HeartbeatView(APIView):
    """The heartbeat of all agents."""

    queryset = Agent.objects.all()
    permission_classes = (StaffWithModelRights,)

    @extend_schema(responses=HeartbeatSerializer)
    def get(self, request: Request) -> Response:
        """Agents by state, those that are late or inactive, and domains without an active agent."""
        body: dict[str, Any] = {
            "agents": {count.state: count.count for count in overview.agent_counts()},
            "troubled": overview.troubled_agents(),
            "agentless_domains": overview.agentless_domains(),
        }
        return Response(HeartbeatSerializer(body).data)

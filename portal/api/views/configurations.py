"""Targets, configurations and jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.status import HTTP_202_ACCEPTED
from rest_framework.viewsets import GenericViewSet, ModelViewSet, ReadOnlyModelViewSet

from portal.api.errors import ApiError
from portal.api.pagination import IdPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.configurations import (
    PREVIEWED,
    ConfigurationDetailSerializer,
    ConfigurationSerializer,
    JobSerializer,
    MembershipRemovalSerializer,
    OnDemandSerializer,
    PreviewSerializer,
    RemovalSerializer,
    RestartSerializer,
    TargetSerializer,
)
from portal.api.serializers.reconciliations import ReconcileSerializer, ReconciliationSerializer
from portal.api.views.pages import page_of
from portal.console import audit, removals
from provisioning.models import Configuration, Job, ReconciliationMode, Target
from provisioning.services import (
    explaining,
    jobs,
    on_demand,
    previewing,
    reconciliations,
    removing,
    restarting,
    scopes,
)
from provisioning.tasks import look_for_due_jobs, look_for_reconciliations

_STEER = "provisioning.change_job"
# Of a distinguished name; no directory has longer ones.
_LONGEST_NAME = 4_096
# Containers and groups that a search finds of each kind at most.
_PLACES = 100


class TargetViewSet(
    mixins.CreateModelMixin,
    mixins.UpdateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    GenericViewSet[Target],
):
    """Where configurations write to."""

    queryset = Target.objects.all()
    serializer_class = TargetSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    ordering = ("id",)
    http_method_names = ("get", "post", "patch", "head", "options")

    def perform_create(self, serializer: BaseSerializer[Target]) -> None:
        """Remember who did it."""
        super().perform_create(serializer)
        audit.record(self.request.user, serializer.instance, "Created", audit.ADDITION)

    def perform_update(self, serializer: BaseSerializer[Target]) -> None:
        """Remember who did it, and what was given."""
        super().perform_update(serializer)
        audit.record(
            self.request.user, serializer.instance, f"Changed: {', '.join(sorted(self.request.data))}"
        )


class ConfigurationViewSet(ModelViewSet[Configuration]):
    """What is synchronized where. The schema document is in the answer about a single one."""

    queryset = Configuration.objects.prefetch_related("jobs")
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_fields = ("name", "domain", "target")
    ordering = ("id",)
    http_method_names = ("get", "post", "patch", "delete", "head", "options")
    action_rights: Mapping[str, str] = dict.fromkeys(
        ("explain", "preview", "preview_next"), "provisioning.view_sourceobject"
    ) | {"provision_on_demand": _STEER, "reconcile": _STEER}

    def get_queryset(self) -> QuerySet[Configuration]:
        """Lists need no schema documents."""
        listed = super().get_queryset()
        return listed.defer("schema") if self.action == "list" else listed

    def get_serializer_class(self) -> type[BaseSerializer[Configuration]]:
        """Lists show no schema documents."""
        return ConfigurationSerializer if self.action == "list" else ConfigurationDetailSerializer

    def perform_create(self, serializer: BaseSerializer[Configuration]) -> None:
        """Remember who did it."""
        super().perform_create(serializer)
        audit.record(self.request.user, serializer.instance, "Created", audit.ADDITION)

    def perform_update(self, serializer: BaseSerializer[Configuration]) -> None:
        """Remember who did it, and what was given."""
        super().perform_update(serializer)
        audit.record(
            self.request.user, serializer.instance, f"Changed: {', '.join(sorted(self.request.data))}"
        )

    def perform_destroy(self, instance: Configuration) -> None:
        """Everything we know about it goes; what it wrote to its target stays there."""
        audit.record(self.request.user, instance, "Deleted", audit.DELETION)
        removing.remove(instance)

    @extend_schema(
        parameters=[OpenApiParameter("object", str, required=True, description="objectGUID, DN or UPN")],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, filter_backends=(), pagination_class=None)
    def explain(self, request: Request, pk: str) -> Response:
        """Why one object is, or is not, in the target, from what is stored about it."""
        identifier = request.query_params.get("object", "").strip()
        if not identifier or len(identifier) > _LONGEST_NAME or "\0" in identifier:
            raise ValidationError({"object": ["Give an objectGUID, a distinguished name or a UPN."]})
        configuration = self.get_object()
        source = explaining.find(configuration, identifier)
        return Response(explaining.explain(configuration, source, timezone.now()))

    @extend_schema(
        parameters=[
            OpenApiParameter("name", str, required=True, description="Part of a DN, a DN or objectGUID")
        ],
        responses=OpenApiTypes.OBJECT,
    )
    @action(detail=True, filter_backends=(), pagination_class=None)
    def places(self, request: Request, pk: str) -> Response:
        """Containers and groups that a scope can be limited to, with their objectGUIDs."""
        name = request.query_params.get("name", "").strip()
        if not name or len(name) > _LONGEST_NAME or "\0" in name:
            raise ValidationError(
                {"name": ["Give a part of a distinguished name, a whole one, or an objectGUID."]}
            )
        found = scopes.find(self.get_object(), name, _PLACES, timezone.now())
        return Response({"results": [asdict(place) for place in found]})

    @extend_schema(request=PreviewSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"], filter_backends=(), pagination_class=None)
    def preview(self, request: Request, pk: str) -> Response:
        """What another schema document would create, change and delete. Nothing is saved."""
        wanted = PreviewSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        document, limit = wanted.validated_data["schema"], wanted.validated_data["limit"]
        found = previewing.of_document(self.get_object(), document, timezone.now(), limit)
        return Response(found)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @preview.mapping.get
    def preview_next(self, request: Request, pk: str) -> Response:
        """What the next cycle would write if Active Directory told nothing new."""
        return Response(previewing.of_next_cycle(self.get_object(), timezone.now(), PREVIEWED))

    @extend_schema(request=ReconcileSerializer, responses={202: ReconciliationSerializer})
    @action(detail=True, methods=["post"], filter_backends=(), pagination_class=None)
    def reconcile(self, request: Request, pk: str) -> Response:
        """Compare the target with what was last exported, as soon as the job is free; repair it if asked to."""
        wanted = ReconcileSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        configuration, mode = self.get_object(), ReconciliationMode(wanted.validated_data["mode"])
        with transaction.atomic():
            run = reconciliations.ask(configuration, mode, timezone.now())
            audit.record(request.user, configuration, audit.reconciled(mode))
            look_for_reconciliations()
        return Response(ReconciliationSerializer(run).data, status=HTTP_202_ACCEPTED)

    @extend_schema(request=OnDemandSerializer, responses=OpenApiTypes.OBJECT)
    @action(
        detail=True,
        methods=["post"],
        url_path="provision-on-demand",
        filter_backends=(),
        pagination_class=None,
    )
    def provision_on_demand(self, request: Request, pk: str) -> Response:
        """Read one object now, write it now, and tell each step: import, scope, match, action."""
        wanted = OnDemandSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        configuration, name = self.get_object(), wanted.validated_data["object"]
        audit.record(
            request.user, configuration, audit.provisioned(name, forced=wanted.validated_data["forced"])
        )
        done = on_demand.provision(
            configuration, name, timezone.now(), forced=wanted.validated_data["forced"]
        )
        return Response(done)


class JobViewSet(ReadOnlyModelViewSet[Job]):
    """Jobs, and how they are steered."""

    queryset = Job.objects.defer("watermark")
    serializer_class = JobSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_fields = ("configuration", "kind", "state")
    ordering = ("id",)
    action_rights = dict.fromkeys(
        ("start", "pause", "restart", "run_now", "clear_quarantine", "allow_deletes", "reject_deletes"),
        _STEER,
    )

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def start(self, request: Request, pk: str) -> Response:
        """Enable the job, or go on after a pause or a quarantine: from its watermark, at once."""
        return self._steer(jobs.start)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Start no further cycle; one that is under way ends."""
        return self._steer(jobs.pause)

    @extend_schema(request=RestartSerializer, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def restart(self, request: Request, pk: str) -> Response:
        """Read everything again, with ``full`` false go on from the watermark, or reset what ``criteria`` names."""
        wanted = RestartSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        scopes = wanted.scopes()
        return self._steer(lambda job, now: restarting.restart(job, now, scopes))

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="clear-quarantine")
    def clear_quarantine(self, request: Request, pk: str) -> Response:
        """End a quarantine by hand; the next cycle starts at once and reads everything."""
        return self._steer(restarting.clear_quarantine)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="run")
    def run_now(self, request: Request, pk: str) -> Response:
        """Start the next cycle at once."""
        return self._steer(jobs.run_now)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="allow-deletes")
    def allow_deletes(self, request: Request, pk: str) -> Response:
        """Let the held plan go ahead as it is listed."""
        return self._steer(jobs.allow_deletes)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="reject-deletes")
    def reject_deletes(self, request: Request, pk: str) -> Response:
        """Drop the held plan and pause the job."""
        return self._steer(jobs.reject_deletes)

    @extend_schema(responses=RemovalSerializer(many=True))
    @action(detail=True, filter_backends=())
    def removals(self, request: Request, pk: str) -> Response:
        """What the held job would delete and disable."""
        cycle = removals.held_cycle(self.get_object())
        if cycle is None:
            raise ApiError("JobNotHeld")
        page = page_of(self, removals.of_cycle(cycle))
        return self.get_paginated_response(RemovalSerializer(removals.described(page), many=True).data)

    @extend_schema(responses=MembershipRemovalSerializer(many=True))
    @action(detail=True, filter_backends=(), url_path="membership-removals")
    def membership_removals(self, request: Request, pk: str) -> Response:
        """The memberships that the held job would end."""
        cycle = removals.held_cycle(self.get_object())
        if cycle is None:
            raise ApiError("JobNotHeld")
        page = page_of(self, removals.memberships_of(cycle))
        rows = removals.described_memberships(page)
        return self.get_paginated_response(MembershipRemovalSerializer(rows, many=True).data)

    def _steer(self, act: Callable[[Job, datetime], Any]) -> Response:
        job = self.get_object()
        act(job, timezone.now())
        look_for_due_jobs()
        audit.record(self.request.user, job.configuration, f"{job.get_kind_display()}: {self.action}")
        job.refresh_from_db()
        return Response(self.get_serializer(job).data)

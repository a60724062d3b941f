"""The built-in cloud directory: cycles write it; by hand an object can be brought back from the bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, TypeVar

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from directory.models import Contact, DirectoryObject, Group, User
from portal.api.filters import DirectoryFilter, UserFilter
from portal.api.pagination import IdPages
from portal.api.permissions import StaffWithModelRights
from portal.api.serializers.directory import (
    AftermathSerializer,
    ContactSerializer,
    ForeignMemberSerializer,
    GroupSerializer,
    MemberSerializer,
    SummarySerializer,
    UserSerializer,
)
from portal.api.views.pages import page_of
from portal.console import audit, estimates, members
from provisioning.models import ObjectType
from provisioning.services import principals, restoring

D = TypeVar("D", bound=DirectoryObject)


class Restorable(ReadOnlyModelViewSet[D]):
    """Objects that can be brought back from the bin by hand."""

    object_type: ClassVar[ObjectType]

    @extend_schema(request=None, responses=AftermathSerializer, filters=False)
    @action(detail=True, methods=["post"], filterset_class=None)
    def restore(self, request: Request, pk: str) -> Response:
        """Bring back a soft-deleted object, with its id, attributes, memberships and reports."""
        found = get_object_or_404(self.get_queryset(), pk=pk)
        done = restoring.restore(self.object_type, found.pk, timezone.now())
        audit.record(request.user, found, audit.RESTORED)
        body = {
            "code": done.aftermath.value,
            "detail": done.aftermath.sentence,
            "memberships": done.memberships,
        }
        return Response(AftermathSerializer(body).data)


class UserViewSet(Restorable[User]):
    """People's accounts."""

    object_type = ObjectType.USER
    action_rights: Mapping[str, str] = {"restore": "directory.change_user"}
    queryset = User.objects.all()
    serializer_class = UserSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_class = UserFilter
    ordering = ("id",)

    @extend_schema(responses=GroupSerializer(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def groups(self, request: Request, pk: str) -> Response:
        """The groups the user is a direct member of."""
        page = page_of(self, members.groups_of(self.get_object()))
        return self.get_paginated_response(GroupSerializer(page, many=True).data)


class GroupViewSet(Restorable[Group]):
    """Groups."""

    object_type = ObjectType.GROUP
    action_rights: Mapping[str, str] = {"restore": "directory.change_group"}
    queryset = Group.objects.all()
    serializer_class = GroupSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_class = DirectoryFilter
    ordering: tuple[str, ...] = ("id",)

    @extend_schema(responses=MemberSerializer(many=True), filters=False)
    @action(detail=True, filterset_class=None)
    def members(self, request: Request, pk: str) -> Response:
        """The group's direct members."""
        group = self.get_object()
        self.ordering = ("member_id",)
        page = page_of(self, members.memberships_of(group))
        return self.get_paginated_response(MemberSerializer(members.described(page), many=True).data)

    @extend_schema(responses=ForeignMemberSerializer(many=True), filters=False)
    @action(detail=True, filterset_class=None, url_path="foreign-members")
    def foreign_members(self, request: Request, pk: str) -> Response:
        """The members from other forests that the group has in Active Directory, and what became of each."""
        page = page_of(self, members.foreign_of(self.get_object()))
        described = principals.described(page)
        return self.get_paginated_response(ForeignMemberSerializer(described, many=True).data)


class ContactViewSet(Restorable[Contact]):
    """People outside."""

    object_type = ObjectType.CONTACT
    action_rights: Mapping[str, str] = {"restore": "directory.change_contact"}
    queryset = Contact.objects.all()
    serializer_class = ContactSerializer
    permission_classes = (StaffWithModelRights,)
    pagination_class = IdPages
    filterset_class = DirectoryFilter
    ordering = ("id",)


class SummaryView(APIView):
    """How many objects there are."""

    permission_classes = (StaffWithModelRights,)
    queryset = User.objects.all()

    @extend_schema(responses=SummarySerializer)
    def get(self, request: Request) -> Response:
        """Objects that are not soft-deleted, and memberships."""
        users, groups, contacts = estimates.live_objects([User, Group, Contact])
        memberships = estimates.memberships()
        counts = {"users": users, "groups": groups, "contacts": contacts, "memberships": memberships}
        body = {name: count.value for name, count in counts.items()}
        return Response({**body, "is_exact": all(count.is_exact for count in counts.values())})

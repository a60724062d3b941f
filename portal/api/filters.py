"""Filters of lists that need more than equality."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from uuid import UUID

import django_filters
from django.db.models import Q, QuerySet

from portal.console import links
from provisioning.models import (
    Cycle,
    LogAction,
    LogStatus,
    ObjectType,
    ProvisioningLogEntry,
)

if TYPE_CHECKING:

    class FilterSet:
        """django-filter publishes no types; this is what is used of it."""

else:
    from django_filters.rest_framework import FilterSet

_TYPES = [(kind.label, kind.label) for kind in ObjectType]
_PRESENCE = [("no", "present"), ("only", "soft-deleted"), ("any", "both")]


class CycleFilter(FilterSet):
    """Cycles of a configuration or a job."""

    configuration = django_filters.UUIDFilter(field_name="job__configuration")

    class Meta:
        model = Cycle
        fields = ("job", "step", "kind")


class LogFilter(FilterSet):
    """Rows of the log by object, time, outcome and origin."""

    configuration = django_filters.UUIDFilter(field_name="configuration_id")
    cycle = django_filters.NumberFilter(field_name="cycle_id")
    object_guid = django_filters.UUIDFilter(field_name="source_guid")
    object_type = django_filters.ChoiceFilter(choices=_TYPES, method="of_type")
    name = django_filters.CharFilter(method="of_name")
    status = django_filters.ChoiceFilter(choices=LogStatus.choices)
    action = django_filters.ChoiceFilter(choices=LogAction.choices)
    after = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = ProvisioningLogEntry
        fields = ("error_code",)

    def of_name(
        self, rows: QuerySet[ProvisioningLogEntry], name: str, value: str
    ) -> QuerySet[ProvisioningLogEntry]:
        """Rows by a whole user principal name or distinguished name, or by part of the latter."""
        guids = list(links.named(value).values_list("guid", flat=True))
        return rows.filter(source_guid__in=guids) if guids else rows.filter(source_name__icontains=value)

    def of_type(
        self, rows: QuerySet[ProvisioningLogEntry], name: str, value: str
    ) -> QuerySet[ProvisioningLogEntry]:
        """Rows of users, groups or contacts."""
        return rows.filter(object_type={kind.label: kind.value for kind in ObjectType}[value])


class DirectoryFilter(FilterSet):
    """Objects by name, by the AD object they come from, and by presence."""

    search = django_filters.CharFilter(method="matching")
    object_guid = django_filters.UUIDFilter(method="from_object")
    deleted = django_filters.ChoiceFilter(choices=_PRESENCE, method="present")
    searched: tuple[str, ...] = ("display_name", "mail")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Soft-deleted objects are left out unless they are asked for."""
        found: QuerySet[Any] = super().filter_queryset(queryset)  # type: ignore[misc]  # see FilterSet above
        asked = self.form.cleaned_data.get("deleted")  # type: ignore[attr-defined]  # see FilterSet above
        return found if asked else found.filter(deleted_at__isnull=True)

    def matching(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Part of a name or an address."""
        anywhere = Q()
        for field in self.searched:
            anywhere |= Q(**{f"{field}__icontains": value})
        return rows.filter(anywhere)

    def from_object(self, rows: QuerySet[Any], name: str, value: UUID) -> QuerySet[Any]:
        """What an AD object became, by its link or by the anchor made of its objectGUID."""
        anchor = base64.b64encode(value.bytes_le).decode("ascii")
        return rows.filter(Q(immutable_id=anchor) | Q(pk__in=links.target_ids(value)))

    def present(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Present, soft-deleted, or both."""
        return rows if value == "any" else rows.filter(deleted_at__isnull=value == "no")


class UserFilter(DirectoryFilter):
    """Users also by sign-in name."""

    searched = ("display_name", "mail", "user_principal_name")
    user_principal_name = django_filters.CharFilter(lookup_expr="iexact")
    account_enabled = django_filters.BooleanFilter()

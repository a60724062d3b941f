"""Filters of the lists that no field gives for free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from provisioning.models import Configuration, ObjectType

if TYPE_CHECKING:
    # Unfold publishes no types; its filters are Django's with another look.
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter


class ConfigurationFilter(DropdownFilter):
    """Rows of one configuration, for tables that keep its id and no foreign key."""

    title = "configuration"
    parameter_name = "configuration"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Every configuration by name."""
        return [(str(pk), name) for pk, name in Configuration.objects.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """The rows of the chosen one; an id that is none of ours changes nothing."""
        known = {str(pk) for pk, _ in self.lookup_choices}
        return queryset.filter(configuration_id=self.value()) if self.value() in known else queryset


class ObjectTypeFilter(DropdownFilter):
    """Users, groups or contacts, for tables that keep the bare number."""

    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The kinds of object that travel."""
        return [(kind.label, kind.label.capitalize()) for kind in ObjectType]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """The rows of the chosen type."""
        numbers = {kind.label: kind.value for kind in ObjectType}
        return (
            queryset.filter(object_type=numbers[self.value() or ""]) if self.value() in numbers else queryset
        )


class SoftDeletedFilter(DropdownFilter):
    """Objects that are there, unless the soft-deleted ones are asked for."""

    title = "presence"
    parameter_name = "deleted"
    all_option = None

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Present, soft-deleted, or both."""
        return [("", "Present"), ("only", "Soft-deleted"), ("also", "Present and soft-deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Present objects by default."""
        if self.value() == "also":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "only")


class EnabledFilter(DropdownFilter):
    """Accounts that may sign in, or not."""

    title = "sign-in"
    parameter_name = "enabled"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """Enabled or disabled."""
        return [("yes", "Enabled"), ("no", "Disabled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Accounts in the chosen state."""
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(account_enabled=self.value() == "yes")


class SourceStandingFilter(DropdownFilter):
    """AD objects by whether they travel."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, str]]:
        """The standings an object may have."""
        return [("in", "In scope"), ("out", "Out of scope"), ("failing", "Failing"), ("gone", "Gone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        """Objects of the chosen standing."""
        present = queryset.filter(is_gone=False)
        match self.value():
            case "in":
                return present.filter(in_scope=True, error_code="")
            case "out":
                return present.filter(in_scope=False)
            case "failing":
                return present.exclude(error_code="")
            case "gone":
                return queryset.filter(is_gone=True)
        return queryset

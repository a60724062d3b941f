"""The provisioning log: what was done to which object, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter

from portal.console import attributes, badges, links, moments
from portal.console.base import ReadOnlyAdmin
from portal.console.filters import ConfigurationFilter, ObjectTypeFilter
from portal.console.site import site
from provisioning.models import Configuration, Cycle, ObjectType, ProvisioningLogEntry, SourceObject


@admin.register(ProvisioningLogEntry, site=site)
class LogAdmin(ReadOnlyAdmin[ProvisioningLogEntry]):
    """The log, the newest first."""

    list_display = (
        "date",
        "identity",
        "object_kind",
        "action_badge",
        "status_badge",
        "changed",
        "error_code",
        "configuration",
    )
    list_display_links = ("date", "identity")
    list_filter = (
        ("at", RangeDateTimeFilter),
        ("status", ChoicesDropdownFilter),
        ("action", ChoicesDropdownFilter),
        ConfigurationFilter,
        ObjectTypeFilter,
    )
    search_fields = ("source_name",)
    search_help_text = "Part of the distinguished name, or a whole user principal name or objectGUID"
    ordering = ("-at", "-id")
    detail_template = "console/log_entry.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ProvisioningLogEntry], search_term: str
    ) -> tuple[QuerySet[ProvisioningLogEntry], bool]:
        """A whole name, an objectGUID, or the id of what became of it is looked up by index; else part of a name."""
        guid = as_guid(search_term)
        if guid is not None:
            return queryset.filter(source_guid__in=[guid, *links.source_guids(guid)]), False
        if guids := list(links.named(search_term).values_list("guid", flat=True)):
            return queryset.filter(source_guid__in=guids), False
        return super().get_search_results(request, queryset, search_term)

    def detail_context(self, request: HttpRequest, obj: ProvisioningLogEntry) -> Mapping[str, object]:
        """What changed, and where the object stands now."""
        return {
            "rows": attributes.modified_rows(obj.modified),
            "configuration": Configuration.objects.filter(pk=obj.configuration_id).defer("schema").first(),
            "cycle": Cycle.objects.filter(pk=obj.cycle_id).first(),
            "source": SourceObject.objects.filter(
                configuration_id=obj.configuration_id, guid=obj.source_guid
            ).first(),
            "object_type": ObjectType(obj.object_type).label,
        }

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProvisioningLogEntry]:
        """Entries with the name of their configuration: the table keeps its id only."""
        named = Configuration.objects.filter(pk=OuterRef("configuration_id"))
        return super().get_queryset(request).annotate(configuration_name=Subquery(named.values("name")[:1]))

    @admin.display(description="Date", ordering="at")
    def date(self, entry: ProvisioningLogEntry) -> SafeString:
        """When it happened."""
        return moments.moment_html(entry.at, timezone.now())

    @admin.display(description="Identity")
    def identity(self, entry: ProvisioningLogEntry) -> str:
        """The object's name in AD."""
        return entry.source_name or str(entry.source_guid)

    @admin.display(description="Type")
    def object_kind(self, entry: ProvisioningLogEntry) -> str:
        """User, group or contact."""
        return ObjectType(entry.object_type).label

    @admin.display(description="Action")
    def action_badge(self, entry: ProvisioningLogEntry) -> SafeString:
        """What was done."""
        return badges.state_badge(entry.action, entry.get_action_display())

    @admin.display(description="Status")
    def status_badge(self, entry: ProvisioningLogEntry) -> SafeString:
        """How it ended."""
        return badges.state_badge(entry.status, entry.get_status_display(), entry.detail)

    @admin.display(description="Modified")
    def changed(self, entry: ProvisioningLogEntry) -> str:
        """The names of the first attributes that changed."""
        names = [row.name for row in attributes.modified_rows(entry.modified)]
        more = f" +{len(names) - 3}" if len(names) > 3 else ""
        return ", ".join(names[:3]) + more or "–"

    @admin.display(description="Configuration")
    def configuration(self, entry: ProvisioningLogEntry) -> str:
        """The configuration's name."""
        return getattr(entry, "configuration_name", None) or "deleted"


def as_guid(text: str) -> UUID | None:
    """The text as an objectGUID, with or without braces; None when it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None

"""AD objects as the agents last reported them: the answer to "why is this one not in the cloud?"."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RelatedDropdownFilter

from portal.console import attributes, badges, links, moments
from portal.console.admins.log import as_guid
from portal.console.base import ReadOnlyAdmin
from portal.console.filters import ObjectTypeFilter, SourceStandingFilter
from portal.console.site import site
from provisioning.models import Configuration, Link, SourceMember, SourceObject
from provisioning.services import explaining

MEMBERS_COUNTED = 10_000


@admin.register(SourceObject, site=site)
class SourceObjectAdmin(ReadOnlyAdmin[SourceObject]):
    """Source objects, in the order they were first seen."""

    list_display = ("dn", "object_kind", "standing", "configuration", "error_code", "updated")
    list_filter = (("configuration", RelatedDropdownFilter), ObjectTypeFilter, SourceStandingFilter)
    list_select_related = ("configuration",)
    search_fields = ("dn",)
    search_help_text = "Part of the distinguished name, or a whole user principal name or objectGUID"
    ordering = ("id",)
    detail_template = "console/source_object.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceObject]:
        """Lists need no documents."""
        documents = ("attributes", "wanted", "create_only", "reference_guids", "configuration__schema")
        return super().get_queryset(request).defer(*documents)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[SourceObject], search_term: str
    ) -> tuple[QuerySet[SourceObject], bool]:
        """An objectGUID or a whole name is looked up by index, anything else is part of a name."""
        guid = as_guid(search_term)
        if guid is not None:
            return queryset.filter(configuration__in=links.configuration_ids(), guid=guid), False
        if keys := list(links.named(search_term).values_list("pk", flat=True)):
            return queryset.filter(pk__in=keys), False
        return super().get_search_results(request, queryset, search_term)

    def detail_context(self, request: HttpRequest, obj: SourceObject) -> Mapping[str, object]:
        """What AD has, what is wanted from it, and what was written."""
        link = Link.objects.filter(source=obj).first()
        hidden = explaining.hidden_of(obj)
        configuration = Configuration.objects.select_related("domain").get(pk=obj.configuration_id)
        return {
            "explanation": explaining.explain(configuration, obj, timezone.now()),
            "rows": attributes.rows(explaining.masked(obj.attributes, hidden.sources)),
            "wanted_rows": attributes.changed_rows(
                explaining.masked(link.exported if link else {}, hidden.targets),
                explaining.masked(obj.wanted, hidden.targets),
            ),
            "link": link,
            "member_count": SourceMember.objects.filter(group=obj)
            .values("member_guid")[:MEMBERS_COUNTED]
            .count(),
        }

    @admin.display(description="Type")
    def object_kind(self, source: SourceObject) -> str:
        """User, group or contact."""
        return source.get_object_type_display()

    @admin.display(description="Standing")
    def standing(self, source: SourceObject) -> SafeString:
        """Whether it travels, and why not."""
        return standing_badge(source)

    @admin.display(description="Updated")
    def updated(self, source: SourceObject) -> SafeString:
        """When the agent last told of it."""
        return moments.moment_html(source.updated_at, timezone.now())


def standing_badge(source: SourceObject) -> SafeString:
    """Gone, failing, out of scope, or synchronized."""
    if source.is_gone:
        return badges.badge("gone", badges.Tone.IDLE, source.gone_reason)
    if source.error_code:
        return badges.badge("failing", badges.Tone.BAD, source.error_detail)
    if not source.in_scope:
        return badges.badge("out of scope", badges.Tone.IDLE)
    return badges.badge("in scope", badges.Tone.GOOD)

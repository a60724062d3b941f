"""Cycles: the steps each one went through, and what it did."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter

from portal.console import badges, moments, steps, undo_page
from portal.console.base import ReadOnlyAdmin
from portal.console.site import site
from provisioning.models import Cycle, ProvisioningLogEntry

LOG_ROWS = 25


@admin.register(Cycle, site=site)
class CycleAdmin(ReadOnlyAdmin[Cycle]):
    """Runs of jobs, the newest first."""

    list_display = (
        "number",
        "configuration",
        "kind",
        "step_badge",
        "started",
        "took",
        "read",
        "planned",
        "changed",
        "failed",
        "error_code",
    )
    list_filter = (
        ("step", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("job__configuration", RelatedDropdownFilter),
        ("started_at", RangeDateTimeFilter),
    )
    list_select_related = ("job__configuration",)
    search_fields = ("correlation_id", "error_code")
    search_help_text = "Correlation id or error code"
    ordering = ("-id",)
    detail_template = "console/cycle.html"

    def get_urls(self) -> list[URLPattern]:
        """The undo of a cycle has an address of its own."""
        undo = self.admin_site.admin_view(self.undo_view)
        return [path("<int:object_id>/undo/", undo, name="cycle_undo"), *super().get_urls()]

    def undo_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """What an undo would do, and the button that does it."""
        obj = self.visible_object(request, str(object_id))
        found = undo_page.answer(request, obj)
        if isinstance(found, HttpResponse):
            return found
        return self.render_page(
            request, "console/cycle_undo.html", obj, {"title": f"Undo cycle #{obj.pk}", **found}
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cycle]:
        """Cycles without their configurations' schema."""
        return (
            super()
            .get_queryset(request)
            .defer("job__configuration__schema", "job__watermark", "new_watermark")
        )

    def detail_context(self, request: HttpRequest, obj: Cycle) -> Mapping[str, object]:
        """The steps, and the first rows of the cycle's log."""
        entries: list[ProvisioningLogEntry] = []
        if request.user.has_perm("provisioning.view_provisioninglogentry"):
            entries = list(
                ProvisioningLogEntry.objects.filter(cycle_id=obj.pk, at__gte=obj.started_at)[:LOG_ROWS]
            )
        return {
            "steps": steps.of_cycle(obj),
            "entries": entries,
            "is_cut": len(entries) == LOG_ROWS,
            "may_undo": undo_page.is_offered(request, obj),
            "undone_by": obj.undone_by.order_by("id").values_list("pk", flat=True),
        }

    @admin.display(description="Cycle", ordering="id")
    def number(self, cycle: Cycle) -> str:
        """Its number."""
        return f"#{cycle.pk}"

    @admin.display(description="Configuration")
    def configuration(self, cycle: Cycle) -> str:
        """Whose job ran."""
        return cycle.job.configuration.name

    @admin.display(description="Step", ordering="step")
    def step_badge(self, cycle: Cycle) -> SafeString:
        """How far it has come."""
        return badges.state_badge(cycle.step, cycle.get_step_display(), cycle.error_detail)

    @admin.display(description="Started", ordering="started_at")
    def started(self, cycle: Cycle) -> SafeString:
        """When it began."""
        return moments.moment_html(cycle.started_at, timezone.now())

    @admin.display(description="Took")
    def took(self, cycle: Cycle) -> str:
        """How long it took, or has taken so far."""
        return moments.duration(cycle.started_at, cycle.ended_at or timezone.now())

    @admin.display(description="Read", ordering="count_imported")
    def read(self, cycle: Cycle) -> int:
        """Objects that the agent sent."""
        return cycle.count_imported

    @admin.display(description="Planned", ordering="count_planned")
    def planned(self, cycle: Cycle) -> int:
        """Changes that the plan has."""
        return cycle.count_planned

    @admin.display(description="Changed", ordering="count_exported")
    def changed(self, cycle: Cycle) -> int:
        """Changes written to the target."""
        return cycle.count_exported

    @admin.display(description="Failed", ordering="count_failed")
    def failed(self, cycle: Cycle) -> SafeString | int:
        """Changes the target refused."""
        return badges.badge(str(cycle.count_failed), badges.Tone.BAD) if cycle.count_failed else 0

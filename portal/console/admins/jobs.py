"""Jobs: whether each one runs, and when next. They are steered on their configuration's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from portal.console import badges, moments
from portal.console.base import ReadOnlyAdmin
from portal.console.site import site
from provisioning.models import Job


@admin.register(Job, site=site)
class JobAdmin(ReadOnlyAdmin[Job]):
    """The jobs of every configuration."""

    list_display = (
        "__str__",
        "state_badge",
        "step",
        "next_run",
        "last_success",
        "interval",
        "failures_in_a_row",
    )
    list_filter = (("state", ChoicesDropdownFilter), ("kind", ChoicesDropdownFilter))
    list_select_related = ("configuration", "current_cycle")
    search_fields = ("configuration__name", "configuration__domain__fqdn")
    ordering = ("configuration__name", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Jobs without the bulky columns."""
        return super().get_queryset(request).defer("configuration__schema", "watermark")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """A job is shown with its configuration."""
        return redirect(
            "admin:provisioning_configuration_change",
            self.visible_object(request, object_id).configuration_id,
        )

    @admin.display(description="State", ordering="state")
    def state_badge(self, job: Job) -> SafeString:
        """Whether it runs, and why not."""
        return badges.state_badge(job.state, job.get_state_display(), job.state_detail)

    @admin.display(description="Running")
    def step(self, job: Job) -> SafeString | str:
        """The step of the cycle under way."""
        cycle = job.current_cycle
        return badges.state_badge(cycle.step, cycle.get_step_display()) if cycle else "–"

    @admin.display(description="Next run", ordering="next_run_at")
    def next_run(self, job: Job) -> SafeString:
        """When the next cycle starts."""
        return moments.moment_html(job.next_run_at, timezone.now(), missing="–")

    @admin.display(description="Last success", ordering="last_success_at")
    def last_success(self, job: Job) -> SafeString:
        """When a cycle last settled."""
        return moments.moment_html(job.last_success_at, timezone.now())

    @admin.display(description="Every", ordering="interval_s")
    def interval(self, job: Job) -> str:
        """The interval between cycles."""
        return moments.span(job.interval_s)

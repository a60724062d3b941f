"""Configurations: the page from which a synchronization is set up, watched and steered."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RelatedDropdownFilter

from portal.console import badges, configuration_pages, moments, on_demand_page, reconcile_page, schema_page
from portal.console.base import ConsoleAdmin
from portal.console.site import site
from portal.console.widgets import Textarea
from provisioning.models import Configuration, Target
from provisioning.models.guard_limits import GUARD_FIELDS
from provisioning.services import configurations, removing

_BASICS = ("name", "domain", "target")
_SWITCHES = (
    "notification_addresses",
    "delete_threshold_enabled",
    "delete_threshold",
    "expire_accounts",
    "skip_out_of_scope_deletions",
    "nested_groups",
    "reconcile",
    "reconcile_hours",
)
_LIMITS = tuple(name for name in GUARD_FIELDS if name not in _SWITCHES)
_LIMITS_TOLD = "Held as well at this many removals of a kind, or at this share of what is in the target."
# Unfold's form would offer to add another one as well; a configuration is set up one at a time.
_ONE_BUTTON = {"show_save_and_add_another": False, "show_save_and_continue": False}


@admin.register(Configuration, site=site)
class ConfigurationAdmin(ConsoleAdmin[Configuration]):
    """What is synchronized where."""

    list_display = ("name", "job_state", "domain", "target", "last_success", "next_run", "threshold")
    list_filter = (("domain", RelatedDropdownFilter),)
    list_select_related = ("domain", "target")
    search_fields = ("name", "domain__fqdn")
    detail_template = "console/configuration.html"
    add_fieldsets = (
        (None, {"fields": _BASICS, "description": "It is created disabled, with the default mapping."}),
        ("Properties", {"fields": _SWITCHES}),
        ("Further limits", {"fields": _LIMITS, "description": _LIMITS_TOLD}),
    )
    fieldsets = (
        (None, {"fields": ("name", *_SWITCHES)}),
        ("Further limits", {"fields": _LIMITS, "description": _LIMITS_TOLD}),
    )

    def get_urls(self) -> list[URLPattern]:
        """The tabs of a configuration have addresses of their own."""
        tabs = [
            path(f"<uuid:object_id>/{name}/", self.admin_site.admin_view(view), name=f"configuration_{name}")
            for name, view in (
                ("properties", self.properties_view),
                ("scope", self.scope_view),
                ("mapping", self.mapping_view),
                ("provision", self.provision_view),
                ("schema", self.schema_view),
                ("reconcile", self.reconcile_view),
                ("live", self.live_view),
            )
        ]
        return [*tabs, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Configuration]:
        """Configurations with their jobs; lists need no schema document."""
        return super().get_queryset(request).defer("schema").prefetch_related("jobs")

    def detail_context(self, request: HttpRequest, obj: Configuration) -> dict[str, object]:
        """Jobs with their cycles."""
        return {"tab": "overview", **configuration_pages.overview_context(request, obj)}

    def live_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """The part of the overview that refreshes itself."""
        obj = self.visible_object(request, str(object_id))
        return self.render_page(
            request, "console/parts/configuration.html", obj, self.detail_context(request, obj)
        )

    def scope_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Which objects travel."""
        obj = self.visible_object(request, str(object_id))
        context = {"tab": "scope", **configuration_pages.scope_context(obj)}
        return self.render_page(request, "console/configuration_scope.html", obj, context)

    def mapping_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Which attribute comes from where."""
        obj = self.visible_object(request, str(object_id))
        context = {"tab": "mapping", **configuration_pages.mapping_context(obj)}
        return self.render_page(request, "console/configuration_mapping.html", obj, context)

    def schema_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Another scope or mapping: previewed, then saved."""
        obj = self.visible_object(request, str(object_id))
        found = schema_page.answer(request, obj)
        if isinstance(found, HttpResponse):
            return found
        return self.render_page(request, "console/configuration_schema.html", obj, {"tab": "schema", **found})

    def reconcile_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """What the target holds otherwise than it was written, and its repair."""
        obj = self.visible_object(request, str(object_id))
        found = reconcile_page.answer(request, obj)
        if isinstance(found, HttpResponse):
            return found
        return self.render_page(
            request, "console/configuration_reconcile.html", obj, {"tab": "reconcile", **found}
        )

    def provision_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Provision one object on demand."""
        obj = self.visible_object(request, str(object_id))
        context = {"tab": "provision", **on_demand_page.context(request, obj)}
        return self.render_page(request, "console/configuration_provision.html", obj, context)

    def properties_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Name, notification addresses and the delete threshold, as a form."""
        context = {"tab": "properties", "show_delete": False, **_ONE_BUTTON}
        return super(ConsoleAdmin, self).change_view(request, str(object_id), "", context)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form of a new configuration."""
        return super().add_view(request, form_url, {**(extra_context or {}), **_ONE_BUTTON})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Where there is one target only, it is chosen."""
        targets = list(Target.objects.order_by("pk").values_list("pk", flat=True)[:2])
        initial: dict[str, Any] = {"target": targets[0]} if len(targets) == 1 else {}
        return {**initial, **super().get_changeform_initial_data(request)}

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        """Addresses are typed with commas between them."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "notification_addresses":
            field.widget = Textarea(rows=2)
            field.help_text = f"{db_field.help_text} Put commas between addresses."
        return field

    def save_model(
        self, request: HttpRequest, obj: Configuration, form: ModelForm[Configuration], change: bool
    ) -> None:
        """A new one is made by the service, which gives it its schema and its job."""
        if change:
            super().save_model(request, obj, form, change)
            return
        switches = {name: getattr(obj, name) for name in (*_SWITCHES, *_LIMITS)}
        created = configurations.create(name=obj.name, domain=obj.domain, target=obj.target, **switches)
        obj.pk = created.pk
        obj.refresh_from_db()

    def response_post_save_add(self, request: HttpRequest, obj: Configuration) -> HttpResponse:  # type: ignore[override]  # a redirect is one
        """To the new configuration, where it can be started."""
        return redirect("admin:provisioning_configuration_change", obj.pk)

    def response_post_save_change(self, request: HttpRequest, obj: Configuration) -> HttpResponse:  # type: ignore[override]  # a redirect is one
        """Back to the configuration."""
        return redirect("admin:provisioning_configuration_change", obj.pk)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask, then delete. Django's own page would list every object of the domain first."""
        obj = self.visible_object(request, object_id)
        if not self.has_delete_permission(request, obj):
            raise PermissionDenied
        if request.method == "POST":
            self.log_deletions(request, Configuration.objects.filter(pk=obj.pk))
            removing.remove(obj)
            messages.success(request, f"{obj} is deleted. What it wrote to {obj.target} is still there.")
            return redirect("admin:provisioning_configuration_changelist")
        return self.render_page(request, "console/configuration_delete.html", obj, {"tab": "delete"})

    @admin.display(description="State")
    def job_state(self, configuration: Configuration) -> SafeString | str:
        """The state of its object job."""
        job = configuration_pages.object_job(configuration)
        return badges.state_badge(job.state, job.get_state_display(), job.state_detail) if job else "–"

    @admin.display(description="Last success")
    def last_success(self, configuration: Configuration) -> SafeString:
        """When a cycle last settled."""
        job = configuration_pages.object_job(configuration)
        return moments.moment_html(job.last_success_at if job else None, timezone.now())

    @admin.display(description="Next run")
    def next_run(self, configuration: Configuration) -> SafeString:
        """When the next cycle starts."""
        job = configuration_pages.object_job(configuration)
        return moments.moment_html(job.next_run_at if job else None, timezone.now(), missing="–")

    @admin.display(description="Delete threshold", ordering="delete_threshold")
    def threshold(self, configuration: Configuration) -> SafeString | int:
        """At how many removals the job is held."""
        if configuration.delete_threshold_enabled:
            return configuration.delete_threshold
        return badges.badge("off", badges.Tone.BAD)

"""The admin site of the console: the dashboard in front, and the pages that belong to no single model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from portal.console import agent_pages, dashboard, enrolment, heartbeat, job_pages, update_policy

if TYPE_CHECKING:
    # Unfold publishes no types; its site is Django's with another look.
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite

Page = Callable[..., HttpResponse]


class ConsoleSite(UnfoldAdminSite):
    """Isthmus' console."""

    index_title = "Dashboard"
    login_template = "console/login.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard."""
        request.current_app = self.name
        return dashboard.page(self, request)

    def extra_urls(self) -> list[URLPattern]:
        """The pages that belong to no single model."""
        return [
            self._page("live/", dashboard.live, "dashboard_live"),
            self._page("heartbeat/", heartbeat.page, "heartbeat"),
            self._page("heartbeat/live/", heartbeat.live, "heartbeat_live"),
            self._page("agents/add/", enrolment.page, "add_agent"),
            self._page("agents/portal-ca.pem", enrolment.authority_certificate, "authority_certificate"),
            self._page("agents/<uuid:agent_id>/revoke/", enrolment.revoke, "revoke_agent"),
            self._page("agents/<uuid:agent_id>/updates/", update_policy.page, "update_policy"),
            self._page("agents/<uuid:agent_id>/not-cloned/", agent_pages.clear_clone, "clear_clone"),
            self._page("jobs/<int:job_id>/restart/", job_pages.restart, "job_restart"),
            self._page("jobs/<int:job_id>/held/", job_pages.held, "job_held"),
            self._page("jobs/<int:job_id>/<slug:verb>/", job_pages.act, "job_act"),
        ]

    def _page(self, route: str, view: Page, name: str) -> URLPattern:
        return path(route, self.admin_view(partial(view, self)), name=name)


site = ConsoleSite(name="admin")

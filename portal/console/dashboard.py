"""The dashboard: what runs, what waits for a person, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin import AdminSite
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import User as Administrator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from directory.models import Contact, Group, User
from portal.console import activity, estimates, overview

_DIRECTORY = (
    (User, "Users", "person", "admin:directory_user_changelist"),
    (Group, "Groups", "group", "admin:directory_group_changelist"),
    (Contact, "Contacts", "contacts", "admin:directory_contact_changelist"),
)


@dataclass(frozen=True, slots=True)
class DirectoryTile:
    """One kind of object of the cloud directory."""

    label: str
    icon: str
    view: str
    count: estimates.RowCount


def page(site: AdminSite, request: HttpRequest) -> TemplateResponse:
    """The whole page."""
    context = {**site.each_context(request), "title": "Dashboard", **_live_context(request, timezone.now())}
    return TemplateResponse(request, "console/dashboard.html", context)


def live(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The part that refreshes itself."""
    return TemplateResponse(request, "console/parts/dashboard.html", _live_context(request, timezone.now()))


def _live_context(request: HttpRequest, now: datetime) -> dict[str, object]:
    """Each part is read only for those who may see it."""
    context: dict[str, object] = {"now": now}
    if request.user.has_perm("agents.view_agent"):
        context |= _agents_context()
    if request.user.has_perm("provisioning.view_job"):
        context |= _jobs_context(now)
    if request.user.has_perm("provisioning.view_provisioninglogentry"):
        context["errors"] = overview.last_errors(now)
    if _sees_directory(request.user):
        context["tiles"] = _tiles()
    context["sees_nothing"] = len(context) == 1
    return context


def _agents_context() -> dict[str, object]:
    counts = overview.agent_counts()
    return {
        "agent_counts": counts,
        "agent_total": sum(count.count for count in counts),
        "troubled_agents": overview.troubled_agents(),
        "agentless_domains": overview.agentless_domains(),
    }


def _jobs_context(now: datetime) -> dict[str, object]:
    rows = overview.job_rows()
    return {"job_rows": rows, "held_jobs": overview.held_jobs(rows), "activity": activity.last_day(now)}


def _sees_directory(user: Administrator | AnonymousUser) -> bool:
    return user.has_perms(("directory.view_user", "directory.view_group", "directory.view_contact"))


def _tiles() -> list[DirectoryTile]:
    counts = estimates.live_objects([model for model, *_ in _DIRECTORY])
    return [
        DirectoryTile(label, icon, view, count)
        for (_, label, icon, view), count in zip(_DIRECTORY, counts, strict=True)
    ]

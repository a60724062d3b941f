"""Steering a job: start, pause, run now, restart, and the decision about held deletions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from portal.console import audit, removals
from portal.console.paginator import LimitedPaginator
from provisioning.engine.restart import DEFAULT, ResetScope
from provisioning.models import Job
from provisioning.services import jobs, restarting
from provisioning.tasks import look_for_due_jobs

REMOVALS_PER_PAGE = 100
_ON_FROM_THE_WATERMARK = frozenset({ResetScope.QUARANTINE_STATE})


@dataclass(frozen=True, slots=True)
class Verb:
    """What a button does, and what is said once it is done."""

    run: Callable[[Job, datetime], object]
    done: str


VERBS = {
    "start": Verb(jobs.start, "{} is started. Its first cycle begins within its interval."),
    "pause": Verb(jobs.pause, "{} is paused. A cycle under way is finished first."),
    "clear-quarantine": Verb(
        restarting.clear_quarantine, "{} is out of quarantine. It reads the whole domain again."
    ),
    "run": Verb(jobs.run_now, "{} runs now."),
    "allow-deletes": Verb(jobs.allow_deletes, "{} goes on and removes what was listed."),
    "reject-deletes": Verb(
        jobs.reject_deletes,
        "{} removes nothing of what was listed. Set the scope or the domain right, then restart it.",
    ),
}


def act(site: AdminSite, request: HttpRequest, job_id: int, verb: str) -> HttpResponse:
    """Do what a button says and return to the configuration."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    job = _job(request, job_id, "provisioning.change_job")
    if verb not in VERBS:
        raise Http404("There is no such action.")
    chosen = VERBS[verb]
    try:
        chosen.run(job, timezone.now())
    except jobs.JobRefused as refused:
        messages.error(request, str(refused))
    else:
        audit.record(request.user, job.configuration, f"{job.get_kind_display()}: {verb}")
        look_for_due_jobs()
        messages.success(request, chosen.done.format(job))
    return _to_configuration(job)


def restart(site: AdminSite, request: HttpRequest, job_id: int) -> HttpResponse:
    """Ask which way to restart, then restart: everything from the start, or on from the watermark."""
    job = _job(request, job_id, "provisioning.change_job")
    if request.method == "POST":
        full = request.POST.get("full") == "yes"
        restarting.restart(job, timezone.now(), DEFAULT if full else _ON_FROM_THE_WATERMARK)
        look_for_due_jobs()
        audit.record(request.user, job.configuration, f"{job.get_kind_display()}: restart, full={full}")
        how = "reads the whole domain again" if full else "goes on from its watermark"
        messages.success(request, f"{job} is restarted and {how}.")
        return _to_configuration(job)
    context = {**site.each_context(request), "title": f"Restart {job}", "job": job}
    return TemplateResponse(request, "console/job_restart.html", context)


def held(site: AdminSite, request: HttpRequest, job_id: int) -> HttpResponse:
    """What a held job would have deleted and disabled, and the two ways out."""
    job = _job(request, job_id, "provisioning.view_job")
    cycle = removals.held_cycle(job)
    if cycle is None:
        messages.info(request, f"{job} does not wait for a decision.")
        return _to_configuration(job)
    page = _page(removals.of_cycle(cycle), request.GET.get("page"))
    members = _page(removals.memberships_of(cycle), request.GET.get("members"))
    context = {
        **site.each_context(request),
        "title": f"Held: {job.configuration}",
        "job": job,
        "cycle": cycle,
        "counts": removals.counts(cycle),
        "page": page,
        "rows": removals.described(page.object_list),
        "members_page": members,
        "member_rows": removals.described_memberships(members.object_list),
        "may_decide": request.user.has_perm("provisioning.change_job"),
    }
    return TemplateResponse(request, "console/job_held.html", context)


def _page(rows: QuerySet[Any], number: str | None) -> Page[Any]:
    return LimitedPaginator(rows, REMOVALS_PER_PAGE).get_page(number)


def _job(request: HttpRequest, job_id: int, permission: str) -> Job:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    return get_object_or_404(Job.objects.select_related("configuration__domain"), pk=job_id)


def _to_configuration(job: Job) -> HttpResponse:
    return redirect("admin:provisioning_configuration_change", job.configuration_id)

"""The console's page of reconciliations: what is compared when, what was found, and the buttons."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.console import audit
from portal.console.paginator import LimitedPaginator
from provisioning.models import (
    Configuration,
    DriftFinding,
    DriftKind,
    Reconciliation,
    ReconciliationMode,
)
from provisioning.models.reconciliation import OPEN_STATES
from provisioning.services import reconciliations
from provisioning.services.jobs import JobRefused
from provisioning.tasks import look_for_reconciliations

_RUNS = 10
_FINDINGS_PER_PAGE = 100
_ASKED = {
    ReconciliationMode.REPORT: "The target is compared as soon as the job is free. Nothing is written.",
    ReconciliationMode.REPAIR: "The target is compared and repaired as soon as the job is free.",
}


def answer(request: HttpRequest, configuration: Configuration) -> HttpResponse | dict[str, object]:
    """The page's context; after a button, where to go."""
    if not request.user.has_perms(("provisioning.view_reconciliation", "provisioning.view_sourceobject")):
        raise PermissionDenied
    if request.method == "POST":
        return _ask(request, configuration)
    runs = list(Reconciliation.objects.filter(configuration=configuration).order_by("-id")[:_RUNS])
    chosen = _chosen(configuration, runs, request.GET.get("run", ""))
    return {
        "configuration": configuration,
        "runs": runs,
        "run": chosen,
        "is_open": any(one.state in OPEN_STATES for one in runs),
        "interval_s": configuration.reconcile_hours * 3_600,
        "may_steer": request.user.has_perm("provisioning.change_job"),
        **(_found(chosen, request) if chosen is not None else {}),
    }


def _ask(request: HttpRequest, configuration: Configuration) -> HttpResponse:
    if not request.user.has_perm("provisioning.change_job"):
        raise PermissionDenied
    repairs = request.POST.get("mode") == ReconciliationMode.REPAIR
    mode = ReconciliationMode.REPAIR if repairs else ReconciliationMode.REPORT
    try:
        with transaction.atomic():
            reconciliations.ask(configuration, mode, timezone.now())
            audit.record(request.user, configuration, audit.reconciled(mode))
            look_for_reconciliations()
    except JobRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _ASKED[mode])
    return redirect("admin:configuration_reconcile", configuration.pk)


def _chosen(configuration: Configuration, runs: list[Reconciliation], asked: str) -> Reconciliation | None:
    if asked.isdecimal():
        return Reconciliation.objects.filter(configuration=configuration, pk=int(asked)).first()
    return next((one for one in runs if one.state not in OPEN_STATES), None)


def _found(run: Reconciliation, request: HttpRequest) -> dict[str, object]:
    """Counts by kind, and a page of findings of one kind or of all."""
    kind = request.GET.get("kind", "")
    rows = DriftFinding.objects.filter(reconciliation=run).order_by("id")
    if kind in DriftKind.values:
        rows = rows.filter(kind=kind)
    page: Page[DriftFinding] = LimitedPaginator(rows, _FINDINGS_PER_PAGE).get_page(request.GET.get("page"))
    counted = [
        {
            "kind": one.value,
            "label": one.label,
            "by_type": sorted(run.counts[one.value].items()),
            "count": sum(run.counts[one.value].values()),
        }
        for one in DriftKind
        if one.value in run.counts
    ]
    listed = sum(min(one["count"], reconciliations.LISTED) for one in counted)
    kept = f"run={run.pk}&kind={kind}&" if kind else f"run={run.pk}&"
    return {"counted": counted, "kind": kind, "page": page, "kept": kept, "is_cut": listed < run.total}

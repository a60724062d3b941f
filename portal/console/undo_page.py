"""The console's page for undoing a cycle: what it would do is shown first, and only that is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.console import audit
from provisioning.engine.undo import Conflict
from provisioning.errors import ERRORS
from provisioning.models import Cycle, CycleStep
from provisioning.services import undo_listing, undoing
from provisioning.services.jobs import JobRefused
from provisioning.services.undoing import Preview
from provisioning.tasks import set_moving

_ROWS: Final = 100
_RIGHTS: Final = ("provisioning.change_job", "provisioning.view_sourceobject")
_DOES: Final = {
    "delete": "Soft-deleted: the cycle created or restored it",
    "restore": "Restored: the cycle deleted it",
    "update": "Old values written",
    "disable": "Old values written, which disables it",
    "reference": "Old reference written",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary."""

    object_type: str
    what: str
    count: int
    code: str = ""


def is_offered(request: HttpRequest, cycle: Cycle) -> bool:
    """Whether the cycle's page has the button."""
    has_ended = cycle.step in (CycleStep.DONE, CycleStep.FAILED)
    return has_ended and cycle.count_exported > 0 and request.user.has_perms(_RIGHTS)


def answer(request: HttpRequest, cycle: Cycle) -> HttpResponse | dict[str, object]:
    """The page's context, or where to go once the undo has begun."""
    if not request.user.has_perms(_RIGHTS):
        raise PermissionDenied
    try:
        if request.method == "POST":
            return _start(request, cycle)
        return _shown(request, cycle)
    except JobRefused as refused:
        return {"refused_code": refused.code, "refused": str(refused)}


def _start(request: HttpRequest, cycle: Cycle) -> HttpResponse:
    begun, hints = undoing.start(cycle, timezone.now(), fingerprint=request.POST.get("fingerprint", ""))
    set_moving(hints)
    audit.record(request.user, cycle.job.configuration, audit.undone(cycle.pk, begun.pk))
    messages.success(request, f"Cycle #{cycle.pk} is being undone by this one. The job is paused.")
    return redirect("admin:provisioning_cycle_change", begun.pk)


def _shown(request: HttpRequest, cycle: Cycle) -> dict[str, object]:
    """The summary and the first rows; a later page of rows comes without the summary, which takes longer."""
    after, members = request.GET.get("after", ""), request.GET.get("members", "")
    only = request.GET.get("only") == "conflicts"
    now = timezone.now()
    context: dict[str, object] = {"only": only, "is_first": not (after or members or only)}
    if context["is_first"]:
        shown = undoing.preview(cycle, now)
        context |= {"preview": shown, "lines": list(_lines(shown)), "left_alone": list(_left_alone(shown))}
    try:
        if not members:
            rows, following = undo_listing.objects(cycle, now, after=after, limit=_ROWS, only_conflicts=only)
            context |= {"rows": rows, "following": following}
        if not after and not only:
            member_rows, more = undo_listing.memberships(cycle, after=members, limit=_ROWS)
            context |= {"member_rows": member_rows, "more_members": more}
    except ValueError as error:
        raise Http404("There is no such page.") from error
    return context


def _lines(preview: Preview) -> Iterator[Line]:
    for (object_type, kind), count in sorted(preview.changes.items()):
        yield Line(object_type, _DOES[kind], count)
    if preview.memberships_added:
        yield Line("membership", "Added again", preview.memberships_added)
    if preview.memberships_removed:
        yield Line("membership", "Removed again", preview.memberships_removed)


def _left_alone(preview: Preview) -> Iterator[Line]:
    for (object_type, code), count in sorted(preview.conflicts.items()):
        yield Line(object_type, ERRORS[Conflict(code)], count, code)

"""The console's page for provisioning one object now."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from portal.console import audit
from provisioning.models import Configuration
from provisioning.services import on_demand
from provisioning.services.jobs import JobRefused

_TITLES = {"import": "Import", "scoping": "Scope", "matching": "Match", "export": "Action"}
_TONES = {"success": "good", "skipped": "idle", "warning": "warn", "failure": "bad"}


def context(request: HttpRequest, configuration: Configuration) -> dict[str, object]:
    """The form; after it was sent, what was done in four steps, or why nothing was."""
    if not request.user.has_perm("provisioning.change_job"):
        raise PermissionDenied
    sent = request.POST if request.method == "POST" else request.GET
    name, forced = sent.get("object", "").strip(), sent.get("forced") == "yes"
    shown: dict[str, object] = {"configuration": configuration, "name": name, "forced": forced}
    if request.method != "POST" or not name:
        return shown
    audit.record(request.user, configuration, audit.provisioned(name, forced=forced))
    try:
        done = on_demand.provision(configuration, name, timezone.now(), forced=forced)
    except JobRefused as refused:
        return {**shown, "refused_code": refused.code, "refused": str(refused)}
    steps = [
        {**step, "title": _TITLES[step["type"]], "tone": _TONES[step["status"]]} for step in done["steps"]
    ]
    return {**shown, "done": done, "steps": steps}

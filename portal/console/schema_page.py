"""The console's page for another scope or mapping: what it would do is shown before it can be saved."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.console import audit
from portal.console.schema_tables import scope
from portal.console.widgets import Textarea
from provisioning.engine.errors import EngineError
from provisioning.models import Configuration
from provisioning.services import configurations, coverage, previewing, reading

_SHOWN: Final = 100
_READS: Final = "The next cycle reads everything under the new scope and mapping."
_EVALUATES: Final = (
    "The next cycle works out what is stored under the new scope and mapping; nothing is read for it."
)


def may_edit(request: HttpRequest) -> bool:
    """Editing shows what would become of objects, so it takes the right to see them."""
    rights = ("provisioning.change_configuration", "provisioning.view_sourceobject")
    return request.user.has_perms(rights)


def answer(request: HttpRequest, configuration: Configuration) -> HttpResponse | dict[str, object]:
    """The page's context, or where to go once a document is saved."""
    if not may_edit(request):
        raise PermissionDenied
    if request.method != "POST":
        return _shown(configuration, _text(configuration.schema))
    verb = request.POST.get("verb", "")
    if verb == "next":
        found = previewing.of_next_cycle(configuration, timezone.now(), _SHOWN)
        return {**_shown(configuration, _text(configuration.schema)), "preview": found, "is_next": True}
    text = request.POST.get("document", "")
    try:
        if verb == "scope":
            text = _text(_scoped(configuration.schema, request.POST.get("containers", "")))
        document = json.loads(text)
        found = previewing.of_document(configuration, document, timezone.now(), _SHOWN)
    except ValueError as error:
        return {
            **_shown(configuration, text),
            "refused_code": "SchemaInvalid",
            "refused": f"Not JSON: {error}.",
        }
    except EngineError as error:
        told = f"{error.message} {error.remedy}"
        return {**_shown(configuration, text), "refused_code": error.code, "refused": told}
    # Saved is only what was previewed in this very form.
    if verb == "save" and request.POST.get("previewed") == _digest(document):
        return _save(request, configuration, document)
    return {**_shown(configuration, text), "preview": found, "previewed": _digest(document)}


def _save(request: HttpRequest, configuration: Configuration, document: dict[str, Any]) -> HttpResponse:
    needed = reading.of_document(document, configuration).question
    reads = coverage.gaps(coverage.object_job(configuration), needed)
    configurations.change_schema(configuration, document, timezone.now())
    audit.record(request.user, configuration, "Changed: schema, after a preview")
    messages.success(request, f"Saved. {_READS if reads else _EVALUATES}")
    return redirect("admin:provisioning_configuration_change", configuration.pk)


def _shown(configuration: Configuration, text: str) -> dict[str, object]:
    containers = "\n".join(scope(configuration.schema).containers)
    return {
        "configuration": configuration,
        "editor": Textarea(rows=24).render(
            "document", text, {"id": "schema-document", "spellcheck": "false"}
        ),
        "containers": Textarea(rows=3).render("containers", containers, {"id": "schema-containers"}),
    }


def _scoped(document: dict[str, Any], containers: str) -> dict[str, Any]:
    """The document with other containers."""
    changed = copy.deepcopy(document)
    wanted = containers.replace(",", " ").split()
    for rule in changed["synchronizationRules"]:
        rule["containerFilter"] = {"includedContainers": wanted} if wanted else None
    return changed


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

"""The console's page for another scope or mapping: what it would do is shown before it can be saved."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from portal.console import audit, scope_form
from portal.console.scope_form import Form
from portal.console.widgets import Textarea
from provisioning.engine.errors import EngineError, SchemaError
from provisioning.engine.schema import load
from provisioning.models import Configuration
from provisioning.services import configurations, coverage, previewing, reading, scopes
from provisioning.services.lookups import LookupRefused

_SHOWN: Final = 100
_FOUND: Final = 15
_READS: Final = "The next cycle reads everything under the new scope and mapping."
_EVALUATES: Final = (
    "The next cycle works out what is stored under the new scope and mapping; nothing is read for it."
)
_NOTHING_FOUND: Final = (
    "No container or group is known by this name. The whole DN, or an objectGUID, is looked up by an agent."
)
# Verbs of buttons that send the fields of the scope along.
_OF_SCOPE: Final = ("scope", "find", "choose", "drop", "either", "and", "without")

Context = dict[str, object]


def may_edit(request: HttpRequest) -> bool:
    """Editing shows what would become of objects, so it takes the right to see them."""
    rights = ("provisioning.change_configuration", "provisioning.view_sourceobject")
    return request.user.has_perms(rights)


def answer(request: HttpRequest, configuration: Configuration) -> HttpResponse | Context:
    """The page's context, or where to go once a document is saved."""
    if not may_edit(request):
        raise PermissionDenied
    verb = request.POST.get("verb", "") if request.method == "POST" else ""
    if verb.partition(":")[0] in _OF_SCOPE:
        return _of_scope(request, configuration, verb)
    if verb in ("preview", "save"):
        return _of_document(request, configuration, verb)
    shown = _shown(configuration, _text(configuration.schema))
    if verb == "next":
        found = previewing.of_next_cycle(configuration, timezone.now(), _SHOWN)
        return {**shown, "preview": found, "is_next": True}
    return shown


def _of_document(request: HttpRequest, configuration: Configuration, verb: str) -> HttpResponse | Context:
    """The document was sent: preview it, or save what was previewed."""
    text = request.POST.get("document", "")
    try:
        document = scopes.resolved(configuration, json.loads(text))
        found = previewing.of_document(configuration, document, timezone.now(), _SHOWN)
    except ValueError as error:
        told = f"Not JSON: {error}."
        return {**_shown(configuration, text), "refused_code": "SchemaInvalid", "refused": told}
    except EngineError as error:
        return {**_shown(configuration, text), **_refused(error)}
    # Saved is only what was previewed in this very form.
    if verb == "save" and request.POST.get("previewed") == _digest(document):
        return _save(request, configuration, document)
    return _previewed(configuration, document, found)


def _of_scope(request: HttpRequest, configuration: Configuration, verb: str) -> Context:
    """The fields of the scope were sent: search, add or drop something, or preview them."""
    lists = {kind: request.POST.getlist(kind) for kind in ("container", "group")}
    form = Form.of_post(request.POST.dict(), lists)
    base = _base(request, configuration)
    if verb == "scope":
        return _preview_scope(configuration, form, base)
    more: Context = {}
    if verb == "find":
        more = _find(configuration, request.POST.get("find", "").strip())
    else:
        try:
            form.act(verb)
        except (KeyError, IndexError, ValueError) as error:
            raise BadRequest("The form names a row that it does not have.") from error
    return {**_shown(configuration, _text(base), form), **more}


def _preview_scope(configuration: Configuration, form: Form, base: dict[str, Any]) -> Context:
    document = form.applied(base)
    try:
        found = previewing.of_document(configuration, document, timezone.now(), _SHOWN)
    except EngineError as error:
        is_beside = isinstance(error, SchemaError) and form.blame(document, error)
        shown = _shown(configuration, _text(base), form)
        return {**shown, "is_wrong": True} if is_beside else {**shown, **_refused(error)}
    return {**_previewed(configuration, document, found)}


def _find(configuration: Configuration, text: str) -> Context:
    """Containers and groups by part of their name; agents are asked for a whole DN or objectGUID."""
    if not text:
        return {}
    try:
        places = scopes.find(configuration, text, _FOUND, timezone.now())
    except LookupRefused as refused:
        return {"find": text, "find_code": refused.code, "find_error": str(refused)}
    return {"find": text, "places": places, "find_error": "" if places else _NOTHING_FOUND}


def _base(request: HttpRequest, configuration: Configuration) -> dict[str, Any]:
    """The document that the scope's fields are put into: one that was previewed before, else the stored one."""
    try:
        document: dict[str, Any] = json.loads(request.POST.get("base", ""))
        load(document)
    except (ValueError, EngineError):
        return dict(configuration.schema)
    return document


def _save(request: HttpRequest, configuration: Configuration, document: dict[str, Any]) -> HttpResponse:
    needed = reading.of_document(document, configuration).question
    reads = coverage.gaps(coverage.object_job(configuration), needed)
    configurations.change_schema(configuration, document, timezone.now())
    audit.record(request.user, configuration, "Changed: schema, after a preview")
    messages.success(request, f"Saved. {_READS if reads else _EVALUATES}")
    return redirect("admin:provisioning_configuration_change", configuration.pk)


def _previewed(configuration: Configuration, document: dict[str, Any], found: dict[str, Any]) -> Context:
    shown = _shown(configuration, _text(document), Form.of_document(document))
    return {**shown, "preview": found, "previewed": _digest(document)}


def _refused(error: EngineError) -> Context:
    return {"refused_code": error.code, "refused": f"{error.message} {error.remedy}"}


def _shown(configuration: Configuration, text: str, form: Form | None = None) -> Context:
    """The page with a document and a scope; without one the stored scope."""
    form = form or Form.of_document(configuration.schema)
    chosen = [guid for guids in form.chosen.values() for guid in guids]
    names = scopes.names_of(configuration, chosen)
    return {
        "configuration": configuration,
        "text": text,
        "editor": Textarea(rows=24).render(
            "document", text, {"id": "schema-document", "spellcheck": "false"}
        ),
        "chosen": {
            kind: [(guid, names.get(guid.lower(), "")) for guid in guids]
            for kind, guids in form.chosen.items()
        },
        "types": [
            (name, groups, scope_form.attributes(configuration.schema, name))
            for name, groups in form.clauses.items()
        ],
        "operators": scope_form.operators(),
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()

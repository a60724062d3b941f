"""Errors of the REST API: ``{"code", "detail", "errors"?}`` with codes that stay."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.db.models import ProtectedError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from provisioning.engine.schema import SchemaError
from provisioning.services.jobs import JobRefused
from provisioning.services.restoring import RestoreRefused

ERRORS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "InvalidInput": (400, "The request holds values that are not accepted; `errors` names each of them."),
        "MalformedBody": (400, "The body can not be read; send valid JSON with the matching Content-Type."),
        "SchemaInvalid": (400, "The schema document is not usable; the detail names the place."),
        "NotAuthenticated": (401, "Sign in, or send a token in the header `Authorization: Token …`."),
        "AuthenticationFailed": (401, "The token or the password is wrong, or the account is switched off."),
        "PermissionDenied": (403, "Your account lacks the right for this; ask an administrator for a role."),
        "NotFound": (404, "There is no such object; it may have been deleted."),
        "MethodNotAllowed": (405, "This address does not know the method; see /api/docs/ for what it knows."),
        "NotAcceptable": (406, "Answers come as application/json; ask for that."),
        "StillInUse": (409, "Other objects still refer to this one; remove those first."),
        "JobHeld": (409, "The job is held; allow or reject its deletions, or restart it."),
        "JobNotQuarantined": (409, "The job is not in quarantine; it may have ended by itself."),
        "InvalidResetScope": (400, "The reset scope is not known; see the names that a restart takes."),
        "JobNotHeld": (409, "The job is not held; somebody may have been faster."),
        "JobDisabled": (409, "The job does not run; start it first."),
        "ObjectNotFound": (404, "Active Directory has no such object in this domain; check the name."),
        "ObjectNotRead": (409, "Objects of this kind are not synchronized."),
        "HybridSynchronizationActiveDirectoryUnexpectedDuplicateEntriesFound": (
            409,
            "Several objects have this user principal name; name the object by its DN or objectGUID.",
        ),
        "TooManyDeletes": (
            409,
            "The delete guard would hold this; let the next cycle plan it and decide there.",
        ),
        "CycleInTheWay": (409, "A cycle is about to write this object; try again when it has ended."),
        "CycleUnderWay": (
            409,
            "A cycle of the job is under way; pause the job, and try again when it has ended.",
        ),
        "CycleNotUndoable": (
            409,
            "The cycle has not ended, or ran under a version that did not keep what an undo needs.",
        ),
        "UndoNotReadable": (409, "Only what was written to the built-in directory can be undone so far."),
        "UndoHasChanged": (409, "What the undo would do has changed since; look at it again."),
        "ObjectNotInBin": (409, "The object is not soft-deleted; somebody may have been faster."),
        "DeletedForGood": (409, "The object was deleted more than 30 days ago and can not be restored."),
        "AttributeValueMustBeUnique": (
            409,
            "Another object holds the same value; change one of the two first.",
        ),
        "ObjectTypeMismatch": (
            409,
            "An object of another type holds the same value; change one of the two first.",
        ),
        "DriftNotReadable": (409, "Only what the built-in directory holds can be compared so far."),
        "ReconciliationUnderWay": (409, "A reconciliation waits or is under way; wait until it has ended."),
        "AgentTooOld": (502, "The agent does not know single objects; update it."),
        "HybridIdentityServiceNoAgentsAssigned": (503, "No agent serves the domain; add one."),
        "HybridIdentityServiceNoActiveAgents": (503, "No agent of the domain is active; start one."),
        "OnDemandTimeOut": (504, "No agent answered in time; it may be reading a whole domain. Try again."),
        "AgentRevoked": (409, "The agent is revoked already; enrol its host anew to use it again."),
        "UnsupportedMediaType": (415, "Send application/json."),
        "Throttled": (429, "Too many attempts; wait as long as the Retry-After header says."),
    }
)

_CODES: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.ValidationError, "InvalidInput"),
    (exceptions.ParseError, "MalformedBody"),
    (exceptions.NotAuthenticated, "NotAuthenticated"),
    (exceptions.AuthenticationFailed, "AuthenticationFailed"),
    (exceptions.PermissionDenied, "PermissionDenied"),
    (DjangoPermissionDenied, "PermissionDenied"),
    (exceptions.NotFound, "NotFound"),
    (Http404, "NotFound"),
    (exceptions.MethodNotAllowed, "MethodNotAllowed"),
    (exceptions.NotAcceptable, "NotAcceptable"),
    (exceptions.UnsupportedMediaType, "UnsupportedMediaType"),
    (exceptions.Throttled, "Throttled"),
    (ProtectedError, "StillInUse"),
)


class ApiError(Exception):
    """A refusal under one of the codes above."""

    def __init__(self, code: str) -> None:
        super().__init__(ERRORS[code][1])
        self.code = code


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception; None for one that is a fault of ours, which Django logs and answers."""
    if isinstance(error, (JobRefused, ApiError, RestoreRefused)):
        return _answer(error.code, str(error))
    if isinstance(error, SchemaError):
        return Response({"code": error.code, "detail": f"{error.message} {error.remedy}"}, status=400)
    code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    if code is None:
        return None
    return _answer(code, ERRORS[code][1], error, context)


def _answer(
    code: str, detail: str, error: Exception | None = None, context: dict[str, Any] | None = None
) -> Response:
    body: dict[str, Any] = {"code": code, "detail": detail}
    if isinstance(error, exceptions.ValidationError):
        body["errors"] = error.detail
    usual = exception_handler(error, context) if error is not None and context is not None else None
    # DRF turns a missing sign-in into 401 or 403, depending on who could sign in how; its choice stands.
    # A code that is not ours came from an agent, whose answer we wait for.
    refused = ERRORS[code][0] if code in ERRORS else 502
    status = usual.status_code if usual is not None else refused
    return Response(body, status=status, headers=_headers(usual))


def _headers(usual: Response | None) -> dict[str, str]:
    """What DRF adds to its own answers: how to sign in, and how long to wait."""
    kept = ("WWW-Authenticate", "Retry-After")
    return {name: usual.headers[name] for name in kept if usual is not None and name in usual.headers}

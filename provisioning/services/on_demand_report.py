"""What provisioning on demand tells: import, scope, match and action, each with its details (entra-cycle §13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import orjson

from provisioning import errors
from provisioning.engine import errors as engine_errors
from provisioning.engine.schema import load
from provisioning.engine.scoping import explain_scope
from provisioning.models import (
    Configuration,
    Cycle,
    Link,
    LogAction,
    LogStatus,
    ProvisioningLogEntry,
    SourceObject,
)
from provisioning.services import reading
from provisioning.services.clock import now as clock
from provisioning.services.explaining import masked
from provisioning.services.lookups import Answer
from provisioning.services.page_reader import as_mapped
from provisioning.store.rows import StagedObject
from provisioning_agent.wire.lookups import LookupStatus

Report = dict[str, Any]

_ACTIVE_IN_SOURCE: Final = "Active in the source system"
_FILTER_PASSED: Final = "Scoping filter evaluation passed"
_IN_CONTAINERS: Final = "Inside the containers of the scope"
_EXPORT_NAME: Final = {
    LogAction.CREATE: "EntryExportAdd",
    LogAction.UPDATE: "EntryExportUpdate",
    LogAction.DISABLE: "EntryExportUpdate",
    LogAction.DELETE: "EntryExportDelete",
}
# Of several rows of one cycle, the most telling names the whole.
_RANK: Final = (LogAction.DELETE, LogAction.CREATE, LogAction.DISABLE, LogAction.UPDATE, LogAction.OTHER)
_SHOWN_ACTION: Final = {LogAction.DISABLE: LogAction.UPDATE, LogAction.STAGED_DELETE: LogAction.OTHER}


def of(
    configuration: Configuration, answer: Answer, link_before: str, cycle: Cycle | None, *, forced: bool
) -> Report:
    """The whole answer; values that a mapping redacts are masked."""
    source = SourceObject.objects.filter(configuration=configuration, guid=answer.lookup.guid).first()
    link = Link.objects.filter(source=source).first() if source is not None else None
    rows = _log_rows(configuration, cycle)
    ended = clock()
    scope = _scope(configuration, answer, ended, forced=forced)
    action, status = _action(rows), _status(rows)
    return {
        "action": action,
        "status": status,
        "cycle": cycle.pk if cycle is not None else None,
        "correlationId": cycle.correlation_id if cycle is not None else None,
        "startedAt": answer.asked_at,
        "endedAt": ended,
        "durationInMilliseconds": round((ended - answer.asked_at).total_seconds() * 1000),
        "sourceIdentity": {
            "id": answer.lookup.guid,
            "type": answer.lookup.object_type,
            "distinguishedName": answer.lookup.dn,
        },
        "targetIdentity": {"id": link.target_id, "state": link.state} if link is not None else None,
        "modifiedProperties": [one for row in rows for one in row.modified],
        "steps": [
            _import(configuration, answer),
            scope,
            _match(link_before, link, ended),
            _export(rows, action, status, ended),
        ],
        "statusInfo": _status_info(rows),
    }


def _step(
    name: str, kind: str, status: str, description: str, at: datetime, details: Mapping[str, Any]
) -> Report:
    return {
        "name": name,
        "type": kind,
        "status": status,
        "description": description,
        "timestamp": at,
        "details": dict(details),
    }


def _import(configuration: Configuration, answer: Answer) -> Report:
    lookup = answer.lookup
    details: Report = {"objectGUID": lookup.guid, "distinguishedName": lookup.dn}
    if lookup.status is LookupStatus.DELETED:
        text = f"The {lookup.object_type} was deleted in Active Directory."
    else:
        text = f"Retrieved the {lookup.object_type} from Active Directory."
        mapped = reading.of(configuration).types.get(lookup.object_type)
        hidden = mapped.mapping.redacted_sources if mapped is not None else frozenset()
        for one in answer.page.objects:
            details |= masked(orjson.loads(one.attributes), hidden)
    if lookup.object_type == "group":
        details["members"] = sum(map(len, answer.page.added_members.values()))
    return _step("EntryImport", "import", "success", text, answer.answered_at, details)


def _scope(configuration: Configuration, answer: Answer, at: datetime, *, forced: bool) -> Report:
    lookup = answer.lookup
    passed = True
    clauses: list[Report] = []
    for one in answer.page.objects:
        passed, clauses = _clauses(configuration, one, lookup.object_type, at)
    is_there = lookup.status is LookupStatus.FOUND
    in_scope = is_there and lookup.in_scope and passed
    details = {
        _ACTIVE_IN_SOURCE: is_there,
        _IN_CONTAINERS: lookup.in_scope,
        _FILTER_PASSED: passed,
        "ScopeEvaluationResult": clauses,
        "Forced": forced and is_there and not in_scope,
    }
    if in_scope:
        text, status = "The object is in scope.", "success"
    elif forced and is_there:
        text, status = "The object is out of scope and was forced in.", "warning"
    else:
        text, status = "The object is out of scope.", "skipped"
    return _step("EntrySynchronizationScoping", "scoping", status, text, at, details)


def _clauses(
    configuration: Configuration, one: StagedObject, name: str, at: datetime
) -> tuple[bool, list[Report]]:
    mapped = reading.of(configuration).types.get(name)
    mapping = load(configuration.schema).rules[0].object_mapping(name)
    if mapped is None or mapping is None:
        return False, []
    attributes, _ = as_mapped(orjson.loads(one.attributes), mapped, at)
    decision = explain_scope(mapping.scope, attributes, redacted=mapped.mapping.redacted_sources)
    return decision.passed, [asdict(clause) for clause in decision.clauses]


def _match(before: str, link: Link | None, at: datetime) -> Report:
    target = link.target_id if link is not None else None
    details = {"linkBefore": before, "targetId": target}
    text = {
        "none": "No object of the target was linked to it.",
        "deleted": "It is linked to a soft-deleted object of the target.",
    }.get(before, "It is linked to an object of the target.")
    return _step("EntrySynchronizationMatching", "matching", "success", text, at, details)


def _export(rows: list[ProvisioningLogEntry], action: str, status: str, at: datetime) -> Report:
    name = next(
        (_EXPORT_NAME[LogAction(row.action)] for row in _by_rank(rows) if row.action in _EXPORT_NAME), ""
    )
    text = {
        "Success": f"{action} was written to the target.",
        "Failure": f"{action} failed.",
        "Warning": f"{action} was written in part.",
    }.get(status, "Nothing was written.")
    skipped = next((row.error_code for row in rows if row.status == LogStatus.SKIPPED), None)
    details: Report = {"SkipReason": skipped} if skipped else {}
    for row in rows:
        if row.detail:
            details.setdefault("messages", []).append(row.detail)
    return _step(name or "EntrySynchronizationSkip", "export", status.lower(), text, at, details)


def _log_rows(configuration: Configuration, cycle: Cycle | None) -> list[ProvisioningLogEntry]:
    if cycle is None:
        return []
    rows = ProvisioningLogEntry.objects.filter(
        configuration_id=configuration.pk, cycle_id=cycle.pk, at__gte=cycle.started_at
    )
    return list(rows.order_by("at", "id"))


def _by_rank(rows: list[ProvisioningLogEntry]) -> list[ProvisioningLogEntry]:
    return sorted(rows, key=lambda row: _RANK.index(LogAction(row.action)))


def _action(rows: list[ProvisioningLogEntry]) -> str:
    """Create, Update, Delete or Other."""
    for row in _by_rank(rows):
        action = LogAction(row.action)
        return _SHOWN_ACTION.get(action, action).value
    return LogAction.OTHER.value


def _status(rows: list[ProvisioningLogEntry]) -> str:
    found = {row.status for row in rows}
    if LogStatus.FAILURE in found:
        return (LogStatus.WARNING if LogStatus.SUCCESS in found else LogStatus.FAILURE).value
    return (LogStatus.SUCCESS if LogStatus.SUCCESS in found else LogStatus.SKIPPED).value


def _status_info(rows: list[ProvisioningLogEntry]) -> Report | None:
    failed = next((row for row in rows if row.status == LogStatus.FAILURE), None)
    if failed is None:
        return None
    advice = errors.ERRORS.get(failed.error_code) or engine_errors.ERRORS.get(failed.error_code)
    return {"errorCode": failed.error_code, "reason": failed.detail, "recommendedAction": advice}

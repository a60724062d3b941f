"""What a changed schema document, or the next cycle, would do: computed from stored objects, writing nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from provisioning.engine import guard
from provisioning.engine.flow import stays
from provisioning.engine.plan import UPDATE, Action, Decision, allowed_flows, decide
from provisioning.models import Configuration, ObjectType
from provisioning.services import coverage, guarding, reading, scopes
from provisioning.services.coverage import Within
from provisioning.services.explaining import masked
from provisioning.services.reading import Reading
from provisioning.services.reevaluating import remapped
from provisioning.store import previews
from provisioning.store.previews import PreviewedObject
from provisioning.store.rows import StagedObject

_FAILED = "fail"
_REFERENCE = "reference"
_UNKNOWN = (
    "Nobody has told of {} so far. If the domain has no such container or group, cycles will fail with "
    "ScopeContainerMissing or ScopeGroupMissing and change nothing."
)


@dataclass(slots=True)
class _Tally:
    """Counts by (object type, what happens), and the first changes in full."""

    limit: int
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: list[dict[str, Any]] = field(default_factory=list)

    def add(self, change: dict[str, Any]) -> None:
        self.counts[change["type"], change["action"]] += 1
        if len(self.shown) < self.limit:
            self.shown.append(change)

    def by_type(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for (object_type, action), count in sorted(self.counts.items()):
            found.setdefault(object_type, {})[action] = count
        return found


def of_document(
    configuration: Configuration, document: dict[str, Any], now: datetime, limit: int
) -> dict[str, Any]:
    """What saving this schema document would create, change and delete; raises ``SchemaError``.

    ``limits`` says what the stored objects can not tell: those parts show only once agents have read anew, which
    they then do (``readsEverything``). ``warnings`` name what may be a mistake.
    """
    document = scopes.resolved(configuration, document)
    after = reading.of_document(document, configuration)
    tally = _run(configuration, after, now, limit, next_only=False)
    gaps = _gaps(configuration, after)
    warnings = [
        _UNKNOWN.format(guid) for guid in scopes.unknown(configuration, (*after.containers, *after.groups))
    ]
    limits = [*_written_again(after), *gaps]
    return {**tally, "limits": limits, "readsEverything": bool(gaps), "warnings": warnings}


def of_next_cycle(configuration: Configuration, now: datetime, limit: int) -> dict[str, Any]:
    """What the next cycle would write if Active Directory told nothing new. Memberships are not counted."""
    current = reading.of(configuration)
    job = coverage.object_job(configuration)
    # After another scope or mapping was saved it looks at everything.
    is_saved_anew = job.evaluated_as not in ("", current.digest)
    tally = _run(configuration, current, now, limit, next_only=not is_saved_anew)
    return {**tally, "limits": ["Memberships are not counted.", *_written_again(current)]}


def _run(
    configuration: Configuration, reader: Reading, now: datetime, limit: int, *, next_only: bool
) -> dict[str, Any]:
    tally = _Tally(limit)
    is_within = coverage.within(coverage.object_job(configuration), reader.question)
    hidden = frozenset(reader.redacted) | frozenset(reading.of(configuration).redacted)
    with previews.nothing_is_written():
        for chunk in previews.objects(configuration.pk, now, next_only=next_only):
            for change in _changes(chunk, reader, configuration, is_within, hidden, now):
                tally.add(change)
        held = _held_by(configuration, tally.counts)
    return {"counts": tally.by_type(), "changes": tally.shown, "wouldBeHeldFor": held}


def _changes(
    chunk: list[PreviewedObject],
    reader: Reading,
    configuration: Configuration,
    is_within: Within,
    hidden: frozenset[str],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    living = (one.stored for one in chunk if not one.is_gone and is_within(one.stored.dn))
    mapped = {staged.guid: staged for staged in remapped(living, reader, now)}
    for one in chunk:
        flows = allowed_flows(
            reader.flows(one.stored.object_type),
            gone_reason=one.gone_reason,
            skips_out_of_scope_deletions=configuration.skip_out_of_scope_deletions,
        )
        found = _change(one, mapped.get(one.stored.guid), reader, flows)
        if found is not None:
            action, old, new = found
            yield {
                "action": action,
                "type": ObjectType(one.stored.object_type).label,
                "objectGuid": one.stored.guid,
                "distinguishedName": one.stored.dn,
                "old": masked(old, hidden),
                "new": masked(new, hidden),
            }


def _change(
    one: PreviewedObject, mapped: StagedObject | None, reader: Reading, flows: frozenset[str]
) -> tuple[str, Mapping[str, Any], Mapping[str, Any]] | None:
    """What would happen to an object; ``mapped`` is None for one that is gone or whose type is not mapped."""
    is_wanted = mapped is not None and mapped.in_scope
    if mapped is not None and mapped.error_code:
        return _FAILED, {}, {"errorCode": mapped.error_code, "error": mapped.error_detail}
    wanted = orjson.loads(mapped.wanted) if mapped is not None else {}
    exported = orjson.loads(one.exported) if one.exported else {}
    clears = reader.clears(one.stored.object_type)
    decision = decide(
        is_wanted=is_wanted,
        link=one.link,
        wanted=wanted,
        exported=exported,
        clears=clears,
        flows=flows,
        rules=reader.rules(one.stored.object_type),
        is_stale=False,
    )
    if decision is not None:
        return _told(decision, wanted, exported)
    flowing = is_wanted and UPDATE in flows
    return _references(one, mapped, reader) if mapped is not None and flowing else None


def _told(
    decision: Decision, wanted: Mapping[str, Any], exported: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
    if decision.action is Action.DELETE:
        return decision.action.value, exported, {}
    return decision.action.value, decision.old, decision.new or wanted


def _references(
    one: PreviewedObject, mapped: StagedObject, reader: Reading
) -> tuple[str, Mapping[str, Any], Mapping[str, Any]] | None:
    wanted = orjson.loads(mapped.reference_guids)
    exported = orjson.loads(one.references) if one.references else {}
    rules = reader.rules(one.stored.object_type)
    kept = {name for name in {**exported, **wanted} if stays(name, exported, rules)}
    wanted = {name: guid for name, guid in wanted.items() if name not in kept}
    exported = {name: guid for name, guid in exported.items() if name not in kept}
    return (_REFERENCE, exported, wanted) if wanted != exported else None


def _held_by(configuration: Configuration, counts: Mapping[tuple[str, str], int]) -> list[str]:
    """The delete guard's limits that this would reach."""
    settings = guarding.settings_of(configuration)
    return guard.breaches(guarding.counted(configuration.pk, counts, 0, settings), settings)


def _gaps(configuration: Configuration, after: Reading) -> list[str]:
    """What the stored objects can not tell, each as a sentence."""
    job = coverage.object_job(configuration)
    gaps = coverage.gaps(job, after.question)
    for guid, dn in scopes.names_of(configuration, after.containers).items():
        gaps = [gap.replace(guid, f"{dn} ({guid})") for gap in gaps]
    return gaps if job.watermark or not job.question else [*gaps, coverage.INCOMPLETE]


def _written_again(reader: Reading) -> list[str]:
    """A preview shows what differs."""
    names = sorted({name for one in reader.types.values() for name in one.rules.always})
    return [f"Writing unchanged values again (FlowAlways) is not shown: {', '.join(names)}."] if names else []

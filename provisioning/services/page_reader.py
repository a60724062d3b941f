"""From the bytes of a page to rows ready to be merged. No database: what it needs is handed in."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from provisioning.engine import principals
from provisioning.engine.account_state import NEVER, Cause, effective_state
from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EngineError, EvaluationError
from provisioning.engine.primary_groups import primary_group_sid
from provisioning.models import ObjectType
from provisioning.services.reading import EXPIRES, Reading, TypeReading
from provisioning.store.rows import NOTHING, NamedScope, StagedObject, StagedPage
from provisioning_agent.wire import pages as wire
from provisioning_agent.wire.requests import GUID_PATTERN
from provisioning_agent.wire.shape import CONTAINER, DELETIONS_COMPARED
from provisioning_agent.wire.sids import from_text

_DIGEST_BYTES = 16
# As it is written in JSON.
_NUL = b"\\u0000"
_BACKSLASH = b"\\"
_TYPE_OF = {"user": ObjectType.USER, "group": ObjectType.GROUP, "contact": ObjectType.CONTACT}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page says of the answer it belongs to."""

    is_full_read: bool
    is_complete: bool
    watermark: str
    notes: list[str]

    @property
    def names_everybody(self) -> bool:
        """Whether what the answer does not name is gone: a full read, or deletions found by comparing."""
        return self.is_full_read or DELETIONS_COMPARED in self.notes


def open_page(body: bytes) -> dict[str, Any]:
    """One stored page as the document it is. It was checked when it came in."""
    return wire.parse_page(wire.inflate(body))


def read_objects(document: Mapping[str, Any], reading: Reading, now: datetime) -> StagedPage:
    """Map every object of a page."""
    page = StagedPage()
    context = reading.context(now)
    for resource in document["Resources"]:
        _read_resource(page, resource, reading, context)
    return page


def read_names(document: Mapping[str, Any], groups: Sequence[str]) -> dict[str, NamedScope]:
    """Where the scope is, by objectGUID; what is not among its ``groups`` is a container."""
    told = document[wire.PAGE_SCHEMA].get("scope", ())
    return {
        one["id"]: NamedScope("group" if one["id"] in groups else CONTAINER, one["distinguishedName"])
        for one in told
    }


def read_answer(document: Mapping[str, Any]) -> Answer:
    """What a page says of its answer."""
    extension = document[wire.PAGE_SCHEMA]
    return Answer(
        is_full_read=extension["mode"] == "initial",
        is_complete=bool(extension.get("complete")),
        watermark=extension.get("watermark") or "",
        notes=list(extension.get("notes") or ()),
    )


def _read_resource(
    page: StagedPage, resource: Mapping[str, Any], reading: Reading, context: EvaluationContext
) -> None:
    guid, meta = resource["id"], resource["meta"]
    tombstone = meta.get("tombstone")
    if meta["resourceType"] == CONTAINER:
        _read_container(page, guid, resource, is_gone=bool(tombstone))
        return
    if tombstone:
        page.tombstones.setdefault(tombstone, []).append(guid)
        return
    if meta.get("present"):
        page.present.append(guid)
        return
    members = resource.get("members")
    if members is not None:
        _read_members(page, guid, members)
    if not meta.get("continues"):
        mapped = reading.types.get(meta["resourceType"])
        if mapped is not None:
            page.objects.append(_map(resource, _TYPE_OF[meta["resourceType"]], mapped, context))


def _read_container(page: StagedPage, guid: str, resource: Mapping[str, Any], *, is_gone: bool) -> None:
    if is_gone:
        page.lost_names.append(guid)
    elif name := resource[wire.AD_SCHEMA].get("distinguishedName"):
        page.names[guid] = NamedScope(CONTAINER, str(name))


def _read_members(page: StagedPage, group: str, members: Mapping[str, Any]) -> None:
    if members.get("whole"):
        page.whole_groups.append(group)
    if added := members.get("added"):
        page.added_members.setdefault(group, []).extend(added)
    if removed := members.get("removed"):
        page.removed_members.setdefault(group, []).extend(removed)
    for guid, sid in members.get("foreign", {}).items():
        page.foreign[guid] = sid, _object_sid(sid)


def _object_sid(sid: str) -> str | None:
    """The SID of an account as the wire writes objectSid."""
    return b64encode(from_text(sid)).decode() if principals.domain_of(sid) else None


def _map(
    resource: Mapping[str, Any], object_type: ObjectType, mapped: TypeReading, context: EvaluationContext
) -> StagedObject:
    attributes = resource[wire.AD_SCHEMA]
    for value in attributes.values():
        if type(value) is list and len(value) > 1:
            # Values of an LDAP attribute are a set; sorted, the same set is the same text.
            value.sort(key=str)
    return map_object(resource["id"], object_type, attributes, mapped, context)


def map_object(
    guid: str,
    object_type: ObjectType,
    attributes: Mapping[str, Any],
    mapped: TypeReading,
    context: EvaluationContext,
) -> StagedObject:
    """One object as a row, with what the mapping makes of it at the moment that ``context`` names."""
    encoded = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
    if _holds_nul(encoded):
        attributes = _without_nul(attributes)
        encoded = orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS)
    digest = _digest(encoded)
    seen, changes_at = as_mapped(attributes, mapped, context.now)
    try:
        in_scope, outcome = mapped.in_scope(seen), _outcome(seen, mapped, context, digest)
    except EngineError as error:
        in_scope, outcome = True, _failure(error)
    return StagedObject(
        guid,
        int(object_type),
        _text(attributes.get("distinguishedName")) or "",
        encoded,
        digest,
        in_scope,
        *outcome,
        changes_at,
        _text(attributes.get("objectSid")),
        primary_group_sid(attributes),
        _text(attributes.get("userPrincipalName")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _holds_nul(document: bytes) -> bool:
    # Few documents have a backslash at all, and a single byte is found many times faster than six.
    return _BACKSLASH in document and _NUL in document


def _without_nul(value: Any) -> Any:
    """The value without the one character that PostgreSQL can not hold."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, Mapping):
        return {_without_nul(name): _without_nul(part) for name, part in value.items()}
    return [_without_nul(part) for part in value] if isinstance(value, list) else value


def as_mapped(
    attributes: Mapping[str, Any], mapped: TypeReading, now: datetime
) -> tuple[Mapping[str, Any], datetime | None]:
    """The attributes as the mapping sees them at this moment, and the moment that changes by itself, if any."""
    if not mapped.honours_expiry or attributes.get(EXPIRES, 0) in NEVER:
        return attributes, None
    state = effective_state(
        user_account_control=attributes.get("userAccountControl", 0),
        account_expires=attributes.get(EXPIRES),
        in_scope=True,
        now=now,
    )
    if state.cause is Cause.EXPIRED:
        attributes = {**attributes, "accountDisabled": True}
    return attributes, state.changes_at


class _Outcome(NamedTuple):
    """What the mapping makes of an object, in the order of ``StagedObject``."""

    wanted: bytes
    create_only: bytes
    reference_guids: bytes
    wanted_hash: bytes
    error_code: str = ""
    error_detail: str = ""


def _outcome(
    attributes: Mapping[str, Any], mapped: TypeReading, context: EvaluationContext, attributes_hash: bytes
) -> _Outcome:
    wanted, create_only, _ = mapped.mapping.apply(attributes, context)
    references = {}
    for name in mapped.mapping.reference_targets:
        for document in (wanted, create_only) if create_only else (wanted,):
            if name in document and isinstance(value := document.pop(name), dict):
                references[name] = _referred(value["value"])
    written = orjson.dumps(wanted, option=orjson.OPT_SORT_KEYS)
    guids = orjson.dumps(references, option=orjson.OPT_SORT_KEYS) if references else NOTHING
    # With FlowAlways any change of the object makes the plan look at it.
    behind = attributes_hash if mapped.rules.always else b""
    once = orjson.dumps(create_only) if create_only else NOTHING
    # An expression may have made one; or the six characters stand in a text.
    made = [wanted, create_only]
    if (_holds_nul(written) or _holds_nul(once)) and _without_nul(made) != made:
        raise EvaluationError("TextExpected", "A value holds the character NUL.")
    return _Outcome(written, once, guids, _digest(written + guids + behind))


def _referred(guid: Any) -> str:
    if not isinstance(guid, str) or not GUID_PATTERN.match(guid):
        raise EvaluationError("ReferenceExpected", "A reference names no objectGUID.")
    return guid


def _failure(error: EngineError) -> _Outcome:
    detail = f"{error.message} {error.remedy}"
    return _Outcome(NOTHING, NOTHING, NOTHING, _digest(NOTHING), error.code, detail)


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()

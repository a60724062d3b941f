"""Everything that is stored about one object: why it is, or is not, in the target. Active Directory is not asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import Model

from provisioning.engine.account_state import effective_state
from provisioning.engine.explaining import REDACTED, AttributeExplanation, explain_mapping
from provisioning.engine.plan import LinkStanding
from provisioning.engine.schema import ObjectMapping, load
from provisioning.engine.scoping import explain_scope
from provisioning.engine.verdict import SENTENCES, Facts, judge
from provisioning.models import (
    Configuration,
    Escrow,
    JobState,
    Link,
    ObjectType,
    ProvisioningLogEntry,
    SourceObject,
)
from provisioning.services import principals, reading
from provisioning.services.page_reader import as_mapped
from provisioning.services.principals import Principal
from provisioning.services.reading import EXPIRES, TypeReading

Explanation = dict[str, Any]
_FOREIGN_MEMBERS_SHOWN: Final = 100

_OF_LINK: Final = {
    "state": "state",
    "targetId": "target_id",
    "linkedAt": "linked_at",
    "updatedAt": "updated_at",
}
_OF_EXPORT: Final = {
    "at": "at",
    "cycle": "cycle_id",
    "action": "action",
    "status": "status",
    "errorCode": "error_code",
    "detail": "detail",
}
_OF_ESCROW: Final = {
    "errorCode": "error_code",
    "errorDetail": "error_detail",
    "firstFailedAt": "first_failed_at",
    "lastFailedAt": "last_failed_at",
    "attempts": "attempts",
    "retryAt": "retry_at",
}
_OF_FOREIGN_MEMBERS: Final = {
    "objectGuid": "guid",
    "sid": "sid",
    "name": "name",
    "standing": "standing",
    "sentence": "sentence",
    "targetId": "target_id",
}


class Hidden(NamedTuple):
    """Attributes of source and target whose values are never shown."""

    sources: frozenset[str]
    targets: frozenset[str]


def find(configuration: Configuration, identifier: str) -> SourceObject | None:
    """A stored object by objectGUID, distinguished name or user principal name."""
    objects = SourceObject.objects.filter(configuration=configuration)
    guid = _guid(identifier)
    if guid is not None:
        return objects.filter(guid=guid).first()
    if "=" in identifier:
        return objects.filter(dn__iexact=identifier.strip()).order_by("is_gone").first()
    return objects.filter(user_principal_name__iexact=identifier.strip()).order_by("is_gone").first()


def explain(configuration: Configuration, source: SourceObject | None, now: datetime) -> Explanation:
    """Last seen, scope clause by clause, each attribute, link, last export, escrow, and the verdict."""
    if source is None:
        verdict = judge(None)
        return {"known": False, "verdict": {"code": verdict, "sentence": SENTENCES[verdict]}}
    link = Link.objects.filter(source=source).first()
    escrow = Escrow.objects.filter(source=source).first()
    verdict = judge(_facts(configuration, source, link, escrow))
    return {
        "known": True,
        "verdict": {"code": verdict, "sentence": SENTENCES[verdict]},
        "source": _source(source),
        **_mapped(configuration, source, link, now),
        "foreignMembers": _foreign_members(source),
        "link": _told(link, _OF_LINK),
        "lastExport": _told(_last_export(configuration, source), _OF_EXPORT),
        "escrow": _told(escrow, _OF_ESCROW),
    }


def hidden_of(source: SourceObject) -> Hidden:
    """Which values of an object must not be shown, by the mapping of its type."""
    configuration = Configuration.objects.select_related("domain").get(pk=source.configuration_id)
    mapped = reading.of(configuration).types.get(ObjectType(source.object_type).label)
    if mapped is None:
        return Hidden(frozenset(), frozenset())
    return Hidden(mapped.mapping.redacted_sources, mapped.mapping.redacted)


def masked(document: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """A document that may be shown."""
    return {name: REDACTED if name in hidden else value for name, value in document.items()}


def _guid(text: str) -> UUID | None:
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def _facts(
    configuration: Configuration, source: SourceObject, link: Link | None, escrow: Escrow | None
) -> Facts:
    reader = reading.of(configuration)
    return Facts(
        is_mapped=ObjectType(source.object_type).label in reader.types,
        gone_reason=source.gone_reason if source.is_gone else None,
        in_scope=source.in_scope,
        mapping_fails=bool(source.error_code),
        link=LinkStanding(link.state) if link else LinkStanding.NONE,
        is_dirty=source.is_dirty,
        in_escrow=escrow is not None,
        is_given_up=escrow is not None and escrow.retry_at is None,
        job_is_held=configuration.jobs.filter(state=JobState.HELD).exists(),
        flows=reader.flows(source.object_type),
        skips_out_of_scope_deletions=configuration.skip_out_of_scope_deletions,
        differs=link is not None and bytes(link.exported_hash) != bytes(source.wanted_hash),
    )


def _source(source: SourceObject) -> Explanation:
    return {
        "objectGuid": source.guid,
        "distinguishedName": source.dn,
        "type": ObjectType(source.object_type).label,
        "lastSeen": source.updated_at,
        "isGone": source.is_gone,
        "goneReason": source.gone_reason,
    }


def _mapped(
    configuration: Configuration, source: SourceObject, link: Link | None, now: datetime
) -> Explanation:
    """Scope, account state and attributes; none of them for a type that is not mapped."""
    name = ObjectType(source.object_type).label
    reader = reading.of(configuration)
    mapped = reader.types.get(name)
    mapping = load(configuration.schema).rules[0].object_mapping(name)
    if mapped is None or mapping is None:
        return {"scope": None, "accountState": None, "attributes": []}
    attributes, _ = as_mapped(source.attributes, mapped, now)
    rows = explain_mapping(mapping, attributes, reader.context(now), creating=link is None)
    exported = link.exported if link else {}
    return {
        "scope": _scope(reader, mapping, mapped, attributes),
        "accountState": _account_state(source, mapped, now),
        "attributes": [_attribute(row, exported, mapped.mapping.redacted) for row in rows],
    }


def _scope(
    reader: reading.Reading, mapping: ObjectMapping, mapped: TypeReading, attributes: Any
) -> Explanation:
    decision = explain_scope(mapping.scope, attributes, redacted=mapped.mapping.redacted_sources)
    return {
        "passed": decision.passed,
        "clauses": [asdict(clause) for clause in decision.clauses],
        "containers": list(reader.containers),
        "groups": list(reader.groups),
    }


def _account_state(source: SourceObject, mapped: TypeReading, now: datetime) -> Explanation | None:
    if source.object_type != ObjectType.USER:
        return None
    state = effective_state(
        user_account_control=source.attributes.get("userAccountControl", 0),
        account_expires=source.attributes.get(EXPIRES) if mapped.honours_expiry else None,
        in_scope=source.in_scope and not source.is_gone,
        now=now,
    )
    return {"cause": state.cause, "isEnabled": state.is_enabled, "changesAt": state.changes_at}


def _attribute(row: AttributeExplanation, exported: Any, redacted: frozenset[str]) -> Explanation:
    held = exported.get(row.target)
    return {
        "target": row.target,
        "expression": row.expression,
        "flowType": row.flow_type,
        "flows": row.flows,
        "value": row.value,
        "exported": REDACTED if row.target in redacted and held is not None else held,
        "errorCode": row.error_code,
        "error": row.error,
    }


def _last_export(configuration: Configuration, source: SourceObject) -> ProvisioningLogEntry | None:
    rows = ProvisioningLogEntry.objects.filter(source_guid=source.guid, configuration_id=configuration.pk)
    return rows.order_by("-at", "-id").first()


def _foreign_members(source: SourceObject) -> list[Explanation | None] | None:
    """Members from other forests, the first of them; None for what is no group."""
    if source.object_type != ObjectType.GROUP:
        return None
    shown = principals.of_groups([source.pk])[:_FOREIGN_MEMBERS_SHOWN]
    return [_told(one, _OF_FOREIGN_MEMBERS) for one in principals.described(shown)]


def _told(row: Model | Principal | None, fields: Mapping[str, str]) -> Explanation | None:
    """A row as it is told: the name on the wire for each field; None where there is no row."""
    return None if row is None else {name: getattr(row, field) for name, field in fields.items()}

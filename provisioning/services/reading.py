"""What a configuration asks of the agents, and how it reads the answer: compiled once, kept while it is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from provisioning.engine.context import EvaluationContext
from provisioning.engine.expressions.nodes import Attribute
from provisioning.engine.flow import PLAIN, ValueRules
from provisioning.engine.mapping import CompiledMapping, compile_mapping
from provisioning.engine.plan import ALL_FLOWS
from provisioning.engine.questions import Question
from provisioning.engine.schema import Filter, ObjectMapping, Schema, load
from provisioning.engine.schema.model import FlowType
from provisioning.engine.scoping import compile_scope
from provisioning.models import Configuration, Job, ObjectType
from provisioning.services.recent import Recent
from provisioning.store.references import KeptReferences
from provisioning_agent.wire.requests import OBJECT_TYPES, ObjectTypeRequest, ReadRequest

# Needed whatever the mapping asks for: identity, and what an account's state and primary group are derived from.
_ALWAYS = frozenset({"objectGUID", "distinguishedName"})
_ALWAYS_OF_USERS = frozenset({"userAccountControl", "accountDisabled", "primaryGroupID", "objectSid"})
_ALWAYS_OF_GROUPS = frozenset({"objectSid"})
EXPIRES = "accountExpires"
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class TypeReading:
    """How objects of one type are read: scope, mapping, and the AD attributes both need."""

    in_scope: Callable[[Mapping[str, Any]], bool]
    mapping: CompiledMapping
    attributes: tuple[str, ...]
    honours_expiry: bool = False
    flows: frozenset[str] = ALL_FLOWS
    rules: ValueRules = PLAIN
    members: FlowType = FlowType.ALWAYS


@dataclass(frozen=True, slots=True)
class Reading:
    """A compiled schema document; ``digest`` changes with everything that decides what is made of an object."""

    types: dict[str, TypeReading]
    containers: tuple[str, ...]
    groups: tuple[str, ...]
    default_domain: str
    digest: str = ""

    def context(self, now: datetime) -> EvaluationContext:
        """What expressions may know besides the object."""
        return EvaluationContext(now=now, random=SystemRandom(), default_domain=self.default_domain)

    def clears(self, object_type: int) -> frozenset[str]:
        """Target attributes of a type that are to be cleared when the mapping gives no value for them."""
        one = self.types.get(ObjectType(object_type).label)
        return one.mapping.clears_when_absent if one is not None else frozenset()

    def flows(self, object_type: int) -> frozenset[str]:
        """What may happen to objects of a type; everything for a type that is no longer mapped."""
        one = self.types.get(ObjectType(object_type).label)
        return one.flows if one is not None else ALL_FLOWS

    def rules(self, object_type: int) -> ValueRules:
        """How single attributes of a type flow."""
        one = self.types.get(ObjectType(object_type).label)
        return one.rules if one is not None else PLAIN

    @property
    def members(self) -> FlowType:
        """How the memberships of groups flow."""
        one = self.types.get(ObjectType.GROUP.label)
        return one.members if one is not None else FlowType.ALWAYS

    def kept_references(self) -> KeptReferences:
        """The references that do not simply follow the source, each with its object type."""
        filled: list[tuple[str, int]] = []
        once: list[tuple[str, int]] = []
        for kind in ObjectType:
            if (one := self.types.get(kind.label)) is not None:
                names = one.mapping.reference_targets
                filled += [(name, int(kind)) for name in names & (one.rules.fill_only | one.rules.merge_only)]
                once += [(name, int(kind)) for name in names & one.rules.once]
        return KeptReferences(filled, once)

    @property
    def question(self) -> Question:
        """What agents have to be asked."""
        attributes = {name: one.attributes for name, one in self.types.items()}
        return Question(attributes, self.containers, self.groups)

    @property
    def redacted(self) -> list[str]:
        """Target attributes whose values never appear in the log."""
        return sorted({name for one in self.types.values() for name in one.mapping.redacted})


class Asked(NamedTuple):
    """What agents are asked, whatever the moment, and the digest of the reading it belongs to."""

    question: Question
    digest: str


# A compiled schema takes 30 ms to make and 200 kB; a question is small. A cycle without a change needs no more than it.
_readings: Recent[Reading] = Recent(256)
_asked: Recent[Asked] = Recent(8192)


def unneeded(path: str) -> list[str]:
    """For ``defer``: the fields of a configuration at ``path`` (``"job__configuration"``) that no idle cycle needs.

    Django takes longer to name columns than PostgreSQL to read them.
    """
    needed = ("id", "domain", "target", "updated_at", "expire_accounts")
    fields = (one.name for one in Configuration._meta.concrete_fields)
    return [f"{path}__{name}" for name in fields if name not in needed]


def of(configuration: Configuration) -> Reading:
    """The compiled schema of a configuration. Its document, which is large, is asked for only to compile it."""
    return _readings.get(_version(configuration), lambda: of_document(configuration.schema, configuration))


def asked(configuration: Configuration) -> Asked:
    """The part of :func:`of` that every cycle needs."""

    def compiled() -> Asked:
        reader = of(configuration)
        return Asked(reader.question, reader.digest)

    return _asked.get(_version(configuration), compiled)


def of_document(document: dict[str, Any], configuration: Configuration) -> Reading:
    """The same for a document that the configuration does not have yet; raises ``SchemaError``."""
    return _compile(document, configuration.domain.fqdn, configuration.expire_accounts)


def _version(configuration: Configuration) -> Hashable:
    """Another one after every save of the configuration, and for whatever else its reading depends on."""
    return (
        configuration.pk,
        configuration.updated_at,
        configuration.domain.fqdn,
        configuration.expire_accounts,
    )


def request_body(job: Job, correlation_id: UUID, deadline: datetime, *, is_covered: bool) -> dict[str, Any]:
    """The SCIM SearchRequest that goes onto the bus; ``is_covered`` by what the job's watermark answers."""
    further = {"watermark": job.watermark or None, "is_covered": is_covered, "lists_containers": True}
    return _request(job.configuration, correlation_id, deadline, **further).to_dict()


def lookup_body(
    configuration: Configuration, name: str, correlation_id: UUID, deadline: datetime
) -> dict[str, Any]:
    """The same for a single object, by objectGUID, DN or UPN."""
    return _request(configuration, correlation_id, deadline, objects=(name,)).to_dict()


def _request(
    configuration: Configuration, correlation_id: UUID, deadline: datetime, **further: Any
) -> ReadRequest:
    question = asked(configuration).question
    return ReadRequest(
        domain=configuration.domain.fqdn,
        object_types=tuple(ObjectTypeRequest(*one) for one in question.attributes.items()),
        correlation_id=str(correlation_id),
        deadline=deadline,
        containers=question.containers,
        groups=question.groups,
        **further,
    )


def _compile(document: dict[str, Any], default_domain: str, honours_expiry: bool) -> Reading:
    schema: Schema = load(document)
    rule = schema.rules[0]
    types = {
        name: _compile_type(name, mapping, honours_expiry=honours_expiry and name == "user")
        for name in OBJECT_TYPES
        if (mapping := rule.object_mapping(name)) is not None
    }
    written = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    decides = b"%d %s %s" % (honours_expiry, default_domain.encode(), written)
    digest = hashlib.blake2b(decides, digest_size=_DIGEST_BYTES).hexdigest()
    return Reading(types, rule.included_containers, rule.included_groups, default_domain, digest)


def _compile_type(name: str, object_mapping: ObjectMapping, *, honours_expiry: bool) -> TypeReading:
    # A null source of a clearing attribute is told by the missing key: most attributes of most objects are empty.
    mapping = compile_mapping(object_mapping, explicit_nulls=False)
    always = {"user": _ALWAYS | _ALWAYS_OF_USERS, "group": _ALWAYS | _ALWAYS_OF_GROUPS}.get(name, _ALWAYS)
    names = mapping.source_attributes | _scope_attributes(object_mapping.scope) | always
    if honours_expiry:
        names |= {EXPIRES}
    return TypeReading(
        compile_scope(object_mapping.scope),
        mapping,
        tuple(sorted(names)),
        honours_expiry,
        object_mapping.flow_types,
        ValueRules(mapping.fill_only, mapping.merge_only, mapping.flow_always, mapping.added_once),
        _members_flow(object_mapping),
    )


def _members_flow(mapping: ObjectMapping) -> FlowType:
    """How the memberships of groups flow: as the attribute that the source's ``member`` is mapped to."""
    for row in mapping.attribute_mappings:
        if isinstance(row.source, Attribute) and row.source.name.lower() == "member":
            return row.flow_type
    return FlowType.ALWAYS


def _scope_attributes(scope: Filter) -> frozenset[str]:
    groups = scope.groups + scope.input_groups + scope.category_groups
    return frozenset(clause.attribute for group in groups for clause in group.clauses)

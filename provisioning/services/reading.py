"""What a configuration asks of the agents, and how it reads the answer: compiled once, kept while it is the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from random import SystemRandom
from typing import Any
from uuid import UUID

import orjson

from provisioning.engine.context import EvaluationContext
from provisioning.engine.mapping import CompiledMapping, compile_mapping
from provisioning.engine.schema import Schema, load
from provisioning.engine.scoping import compile_scope
from provisioning.models import Configuration, Job
from provisioning_agent.wire.requests import ObjectTypeRequest, ReadRequest

# Needed whatever the mapping asks for: identity, and the state that accountDisabled is derived from.
_ALWAYS = frozenset({"objectGUID", "distinguishedName"})
_ALWAYS_OF_USERS = frozenset({"userAccountControl", "accountDisabled"})


@dataclass(frozen=True, slots=True)
class TypeReading:
    """How objects of one type are read: scope, mapping, and the AD attributes both need."""

    in_scope: Callable[[Mapping[str, Any]], bool]
    mapping: CompiledMapping
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A compiled schema document."""

    types: dict[str, TypeReading]
    containers: tuple[str, ...]
    groups: tuple[str, ...]
    default_domain: str

    def context(self, now: datetime) -> EvaluationContext:
        """What expressions may know besides the object."""
        return EvaluationContext(now=now, random=SystemRandom(), default_domain=self.default_domain)

    @property
    def redacted(self) -> list[str]:
        """Target attributes whose values never appear in the log."""
        return sorted({name for one in self.types.values() for name in one.mapping.redacted})


def of(configuration: Configuration) -> Reading:
    """The compiled schema of a configuration."""
    document = orjson.dumps(configuration.schema, option=orjson.OPT_SORT_KEYS)
    return _compile(document, configuration.domain.fqdn)


def request_body(job: Job, correlation_id: UUID, deadline: datetime) -> dict[str, Any]:
    """The SCIM SearchRequest that goes onto the bus."""
    configuration = job.configuration
    reading = of(configuration)
    request = ReadRequest(
        domain=configuration.domain.fqdn,
        object_types=tuple(ObjectTypeRequest(name, one.attributes) for name, one in reading.types.items()),
        correlation_id=str(correlation_id),
        deadline=deadline,
        containers=reading.containers,
        groups=reading.groups,
        watermark=job.watermark or None,
    )
    return request.to_dict()


@lru_cache(maxsize=256)
def _compile(document: bytes, default_domain: str) -> Reading:
    schema: Schema = load(orjson.loads(document))
    rule = schema.rules[0]
    types = {
        mapping.source_object: _compile_type(mapping) for mapping in rule.object_mappings if mapping.enabled
    }
    return Reading(types, rule.included_containers, rule.included_groups, default_domain)


def _compile_type(object_mapping: Any) -> TypeReading:
    mapping = compile_mapping(object_mapping)
    always = _ALWAYS | _ALWAYS_OF_USERS if object_mapping.source_object == "user" else _ALWAYS
    names = mapping.source_attributes | always
    return TypeReading(compile_scope(object_mapping.scope), mapping, tuple(sorted(names)))

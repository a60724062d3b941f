"""A configuration's schema document as tables: what is in scope, and which attribute comes from where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_FLOW = {
    "Always": "always",
    "ObjectAddOnly": "at creation",
    "AttributeAddOnly": "while empty",
    "ValueAddOnly": "values are added",
    "MultiValueAddOnly": "values are added",
}


@dataclass(frozen=True, slots=True)
class MappingRow:
    """One target attribute and where its value comes from."""

    target: str
    source: str
    kind: str
    flow: str
    default: str
    matching_priority: int


@dataclass(frozen=True, slots=True)
class ObjectMappingTable:
    """The mapping of one kind of object."""

    name: str
    source: str
    target: str
    enabled: bool
    rows: list[MappingRow]


@dataclass(frozen=True, slots=True)
class Scope:
    """Containers and groups, as objectGUIDs; both empty means the whole domain."""

    containers: list[str]
    groups: list[str]

    @property
    def is_whole_domain(self) -> bool:
        """Whether nothing narrows the scope."""
        return not self.containers and not self.groups


def scope(document: Mapping[str, Any]) -> Scope:
    """The containers and groups of every rule."""
    rules = list(_rules(document))
    return Scope(
        containers=[
            _identity(item)
            for rule in rules
            for item in _filter(rule, "containerFilter", "includedContainers")
        ],
        groups=[_identity(item) for rule in rules for item in _filter(rule, "groupFilter", "includedGroups")],
    )


def mappings(document: Mapping[str, Any]) -> list[ObjectMappingTable]:
    """One table for each object mapping, matching attributes first."""
    return [_table(mapping) for rule in _rules(document) for mapping in rule.get("objectMappings") or []]


def _rules(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from document.get("synchronizationRules") or []


def _filter(rule: Mapping[str, Any], name: str, included: str) -> list[Any]:
    return list((rule.get(name) or {}).get(included) or [])


def _identity(item: object) -> str:
    if isinstance(item, Mapping):
        return str(item.get("objectGUID") or item.get("id") or item.get("dn") or item)
    return str(item)


def _table(mapping: Mapping[str, Any]) -> ObjectMappingTable:
    rows = [_row(attribute) for attribute in mapping.get("attributeMappings") or []]
    rows.sort(key=lambda row: (row.matching_priority or 1_000, row.target.lower()))
    return ObjectMappingTable(
        name=str(mapping.get("name") or ""),
        source=str(mapping.get("sourceObjectName") or ""),
        target=str(mapping.get("targetObjectName") or ""),
        enabled=bool(mapping.get("enabled", True)),
        rows=rows,
    )


def _row(attribute: Mapping[str, Any]) -> MappingRow:
    source = attribute.get("source") or {}
    flow = str(attribute.get("flowType") or "Always")
    return MappingRow(
        target=str(attribute.get("targetAttributeName") or ""),
        source=str(source.get("expression") or source.get("name") or ""),
        kind=str(source.get("type") or "").lower(),
        flow=_FLOW.get(flow, flow),
        default=str(attribute.get("defaultValue") or ""),
        matching_priority=int(attribute.get("matchingPriority") or 0),
    )

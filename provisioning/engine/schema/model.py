"""A synchronization schema as frozen values: directories, rules, object and attribute mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from provisioning.engine.expressions.nodes import Node

Metadata = tuple[tuple[str, str], ...]


class AttributeType(StrEnum):
    """What an attribute's values are."""

    STRING = "String"
    INTEGER = "Integer"
    REFERENCE = "Reference"
    BINARY = "Binary"
    BOOLEAN = "Boolean"
    DATE_TIME = "DateTime"


class Mutability(StrEnum):
    """Who may change an attribute, and how often."""

    READ_WRITE = "ReadWrite"
    READ_ONLY = "ReadOnly"
    IMMUTABLE = "Immutable"
    WRITE_ONLY = "WriteOnly"


class FlowType(StrEnum):
    """When a mapping writes its target attribute."""

    ALWAYS = "Always"
    OBJECT_ADD_ONLY = "ObjectAddOnly"
    MULTI_VALUE_ADD_ONLY = "MultiValueAddOnly"
    VALUE_ADD_ONLY = "ValueAddOnly"
    ATTRIBUTE_ADD_ONLY = "AttributeAddOnly"


class FlowBehavior(StrEnum):
    """Whether an unchanged value is written again."""

    WHEN_CHANGED = "FlowWhenChanged"
    ALWAYS = "FlowAlways"


@dataclass(frozen=True, slots=True)
class ReferencedObject:
    """An object type a reference may point to, and by which of its properties."""

    object_name: str
    property_name: str | None = None


@dataclass(frozen=True, slots=True)
class AttributeDefinition:
    """One attribute of an object type."""

    name: str
    type: AttributeType = AttributeType.STRING
    anchor: bool = False
    required: bool = False
    multivalued: bool = False
    mutability: Mutability = Mutability.READ_WRITE
    case_exact: bool = False
    default_value: str | None = None
    flow_null_values: bool = False
    referenced_objects: tuple[ReferencedObject, ...] = ()
    api_expressions: Metadata = ()
    metadata: Metadata = ()


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """An object type of a directory."""

    name: str
    attributes: tuple[AttributeDefinition, ...] = ()
    metadata: Metadata = ()
    supported_apis: tuple[str, ...] = ()

    def attribute(self, name: str) -> AttributeDefinition | None:
        """The attribute of that name, in any spelling of upper and lower case."""
        wanted = name.lower()
        return next((each for each in self.attributes if each.name.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Directory:
    """A source or target with its object types."""

    id: str
    name: str
    version: str | None = None
    read_only: bool = False
    discoverabilities: str = "None"
    discovery_date_time: str | None = None
    metadata: Metadata = ()
    objects: tuple[ObjectDefinition, ...] = ()

    def object(self, name: str) -> ObjectDefinition | None:
        """The object type of that name, in any spelling of upper and lower case."""
        return next((each for each in self.objects if each.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Clause:
    """attribute operator values; the attribute is a source attribute."""

    attribute: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FilterGroup:
    """Clauses that must all hold."""

    name: str | None = None
    clauses: tuple[Clause, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """groups: leaving all of them deprovisions. input_groups: leaving only stops processing."""

    groups: tuple[FilterGroup, ...] = ()
    input_groups: tuple[FilterGroup, ...] = ()
    category_groups: tuple[FilterGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class AttributeMapping:
    """What one target attribute gets; definition is the target directory's, where it has one."""

    target: str
    source: Node | None = None
    default_value: str | None = None
    flow_type: FlowType = FlowType.ALWAYS
    flow_behavior: FlowBehavior = FlowBehavior.WHEN_CHANGED
    matching_priority: int = 0
    export_missing_references: bool = False
    definition: AttributeDefinition | None = None


@dataclass(frozen=True, slots=True)
class ObjectMapping:
    """How objects of one source type become objects of one target type."""

    name: str
    source_object: str
    target_object: str
    enabled: bool = True
    flow_types: frozenset[str] = frozenset({"Add", "Update", "Delete"})
    scope: Filter = field(default_factory=Filter)
    attribute_mappings: tuple[AttributeMapping, ...] = ()
    metadata: Metadata = ()
    source_definition: ObjectDefinition | None = None
    target_definition: ObjectDefinition | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One direction between two directories; containers and groups limit what the source reads."""

    id: str
    name: str
    source_directory: str
    target_directory: str
    editable: bool = True
    priority: int = 1
    object_mappings: tuple[ObjectMapping, ...] = ()
    included_containers: tuple[str, ...] = ()
    included_groups: tuple[str, ...] = ()
    metadata: Metadata = ()

    def object_mapping(self, source_object: str) -> ObjectMapping | None:
        """The enabled mapping of a source object type, if any."""
        wanted = source_object.lower()
        enabled = (each for each in self.object_mappings if each.enabled)
        return next((each for each in enabled if each.source_object.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Schema:
    """A whole document; rules stand in the order of their priority."""

    id: str
    version: str
    directories: tuple[Directory, ...] = ()
    rules: tuple[Rule, ...] = ()
    provisioning_task_identifier: str | None = None

    def directory(self, name: str) -> Directory | None:
        """The directory of that name."""
        return next((each for each in self.directories if each.name == name), None)


JsonObject = Mapping[str, object]

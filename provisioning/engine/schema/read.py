"""From a JSON document in Graph's synchronizationSchema shape to a checked Schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from provisioning.engine.errors import EvaluationError, SchemaError
from provisioning.engine.schema.conversion import converter
from provisioning.engine.schema.model import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    Directory,
    FlowBehavior,
    FlowType,
    Mutability,
    ObjectDefinition,
    ObjectMapping,
    ReferencedObject,
    Rule,
    Schema,
)
from provisioning.engine.schema.read_filter import read_filter
from provisioning.engine.schema.reader import Reader
from provisioning.engine.schema.source_tree import from_graph

_FLOWS: Final = frozenset({"Add", "Update", "Delete"})


def read_schema(document: object) -> Schema:
    """The schema a document describes; SchemaError names the path of what is wrong."""
    root = Reader(document, "")
    root.only("id", "version", "directories", "synchronizationRules", "provisioningTaskIdentifier")
    directories = tuple(_directory(each) for each in root.objects("directories"))
    _unique("directories", (each.name for each in directories))
    rules = [_rule(each, directories) for each in root.objects("synchronizationRules")]
    if not rules:
        raise SchemaError("synchronizationRules", "at least one rule is needed.")
    return Schema(
        id=root.optional_text("id") or "",
        version=root.optional_text("version") or "",
        directories=directories,
        rules=tuple(sorted(rules, key=lambda rule: rule.priority)),
        provisioning_task_identifier=root.optional_text("provisioningTaskIdentifier"),
    )


def _unique(path: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise SchemaError(path, f"{name} is there twice.")
        seen.add(name.lower())


def _directory(source: Reader) -> Directory:
    source.only(
        "id", "name", "version", "readOnly", "discoverabilities", "discoveryDateTime", "metadata", "objects"
    )
    objects = tuple(_object(each) for each in source.objects("objects"))
    _unique(source.at("objects"), (each.name for each in objects))
    name = source.text("name")
    return Directory(
        id=source.optional_text("id") or name,
        name=name,
        version=source.optional_text("version"),
        read_only=source.flag("readOnly", False),
        discoverabilities=source.optional_text("discoverabilities") or "None",
        discovery_date_time=source.optional_text("discoveryDateTime"),
        metadata=source.pairs("metadata"),
        objects=objects,
    )


def _object(source: Reader) -> ObjectDefinition:
    source.only("name", "attributes", "metadata", "supportedApis")
    attributes = tuple(_attribute(each) for each in source.objects("attributes"))
    _unique(source.at("attributes"), (each.name for each in attributes))
    if sum(each.anchor for each in attributes) > 1:
        raise SchemaError(source.at("attributes"), "only one attribute can be the anchor.")
    return ObjectDefinition(
        name=source.text("name"),
        attributes=attributes,
        metadata=source.pairs("metadata"),
        supported_apis=source.texts("supportedApis"),
    )


def _attribute(source: Reader) -> AttributeDefinition:
    source.only(
        "name",
        "type",
        "anchor",
        "required",
        "multivalued",
        "mutability",
        "caseExact",
        "defaultValue",
        "flowNullValues",
        "referencedObjects",
        "apiExpressions",
        "metadata",
    )
    return AttributeDefinition(
        name=source.text("name"),
        type=source.choice("type", AttributeType, AttributeType.STRING),
        anchor=source.flag("anchor", False),
        required=source.flag("required", False),
        multivalued=source.flag("multivalued", False),
        mutability=source.choice("mutability", Mutability, Mutability.READ_WRITE),
        case_exact=source.flag("caseExact", False),
        default_value=source.optional_text("defaultValue"),
        flow_null_values=source.flag("flowNullValues", False),
        referenced_objects=tuple(_referenced(each) for each in source.objects("referencedObjects")),
        api_expressions=source.pairs("apiExpressions"),
        metadata=source.pairs("metadata"),
    )


def _referenced(source: Reader) -> ReferencedObject:
    source.only("referencedObjectName", "referencedProperty")
    return ReferencedObject(source.text("referencedObjectName"), source.optional_text("referencedProperty"))


def _rule(source: Reader, directories: tuple[Directory, ...]) -> Rule:
    source.only(
        "id",
        "name",
        "editable",
        "priority",
        "sourceDirectoryName",
        "targetDirectoryName",
        "metadata",
        "objectMappings",
        "containerFilter",
        "groupFilter",
    )
    origin = _named_directory(source, "sourceDirectoryName", directories)
    target = _named_directory(source, "targetDirectoryName", directories)
    mappings = tuple(_object_mapping(each, origin, target) for each in source.objects("objectMappings"))
    _unique(source.at("objectMappings"), (each.name for each in mappings))
    return Rule(
        id=source.optional_text("id") or source.text("name"),
        name=source.text("name"),
        editable=source.flag("editable", True),
        priority=source.number("priority", 1),
        source_directory=origin.name,
        target_directory=target.name,
        metadata=source.pairs("metadata"),
        object_mappings=mappings,
        included_containers=_included(source, "containerFilter", "includedContainers"),
        included_groups=_included(source, "groupFilter", "includedGroups"),
    )


def _named_directory(source: Reader, key: str, directories: tuple[Directory, ...]) -> Directory:
    name = source.text(key)
    found = next((each for each in directories if each.name == name), None)
    if found is None:
        raise SchemaError(source.at(key), f"there is no directory named {name}.")
    return found


def _included(source: Reader, filter_name: str, list_name: str) -> tuple[str, ...]:
    found = source.optional_object(filter_name)
    if found is None:
        return ()
    found.only(list_name)
    texts = found.texts(list_name)
    return tuple(_object_guid(each, f"{found.at(list_name)}[{index}]") for index, each in enumerate(texts))


def _object_guid(text: str, path: str) -> str:
    """In lower case with hyphens, as agents are asked; names go stale when somebody renames what they name."""
    try:
        return str(UUID(text.strip()))
    except ValueError as error:
        problem = f"{text[:200]} is no objectGUID."
        raise SchemaError(path, problem, code="ScopeIdentityInvalid") from error


def _object_mapping(source: Reader, origin: Directory, target: Directory) -> ObjectMapping:
    source.only(
        "name",
        "enabled",
        "flowTypes",
        "scope",
        "sourceObjectName",
        "targetObjectName",
        "attributeMappings",
        "metadata",
    )
    source_definition = _definition(source, "sourceObjectName", origin)
    target_definition = _definition(source, "targetObjectName", target)
    mappings = tuple(
        _attribute_mapping(each, target_definition) for each in source.objects("attributeMappings")
    )
    _unique(source.at("attributeMappings"), (each.target for each in mappings))
    return ObjectMapping(
        name=source.text("name"),
        source_object=source_definition.name,
        target_object=target_definition.name,
        enabled=source.flag("enabled", True),
        flow_types=_flow_types(source),
        scope=read_filter(source.optional_object("scope")),
        attribute_mappings=mappings,
        metadata=source.pairs("metadata"),
        source_definition=source_definition,
        target_definition=target_definition,
    )


def _definition(source: Reader, key: str, directory: Directory) -> ObjectDefinition:
    name = source.text(key)
    found = directory.object(name)
    if found is None:
        raise SchemaError(source.at(key), f"{directory.name} has no object type {name}.")
    return found


def _flow_types(source: Reader) -> frozenset[str]:
    written = source.optional_text("flowTypes")
    if written is None:
        return _FLOWS
    found = frozenset(part.strip().capitalize() for part in written.split(",") if part.strip())
    if found - _FLOWS - {"None"}:
        raise SchemaError(source.at("flowTypes"), "a list of Add, Update, Delete is needed here.")
    return found - {"None"}


def _attribute_mapping(source: Reader, definition: ObjectDefinition) -> AttributeMapping:
    source.only(
        "targetAttributeName",
        "source",
        "defaultValue",
        "flowType",
        "flowBehavior",
        "matchingPriority",
        "exportMissingReferences",
    )
    expression = source.optional_object("source")
    attribute = _target_attribute(source, definition)
    _check_default(source, attribute)
    return AttributeMapping(
        target=attribute.name if attribute else source.text("targetAttributeName"),
        source=None if expression is None else from_graph(expression),
        default_value=source.optional_text("defaultValue"),
        flow_type=source.choice("flowType", FlowType, FlowType.ALWAYS),
        flow_behavior=source.choice("flowBehavior", FlowBehavior, FlowBehavior.WHEN_CHANGED),
        matching_priority=source.number("matchingPriority", 0),
        export_missing_references=source.flag("exportMissingReferences", False),
        definition=attribute,
    )


def _check_default(source: Reader, attribute: AttributeDefinition | None) -> None:
    try:
        converter(attribute)(source.optional_text("defaultValue"))
    except EvaluationError as error:
        raise SchemaError(source.at("defaultValue"), error.message, code=error.code) from error


def _target_attribute(source: Reader, definition: ObjectDefinition) -> AttributeDefinition | None:
    """The attribute mapped to; an object type without any attributes is not known in detail."""
    name = source.text("targetAttributeName")
    if not definition.attributes:
        return None
    found = definition.attribute(name)
    if found is None:
        raise SchemaError(source.at("targetAttributeName"), f"{definition.name} has no attribute {name}.")
    if found.mutability is Mutability.READ_ONLY:
        raise SchemaError(source.at("targetAttributeName"), f"{name} is read-only.")
    return found

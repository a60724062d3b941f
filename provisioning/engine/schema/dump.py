"""A Schema back to JSON, in the shape read_schema takes."""

from __future__ import annotations

from provisioning.engine.schema.model import (
    AttributeDefinition,
    AttributeMapping,
    Clause,
    Directory,
    Filter,
    FilterGroup,
    Metadata,
    ObjectDefinition,
    ObjectMapping,
    Rule,
    Schema,
)
from provisioning.engine.schema.source_tree import to_graph

Document = dict[str, object]

_FLOWS = ("Add", "Update", "Delete")


def dump_schema(schema: Schema) -> Document:
    """The document of a schema; read_schema(dump_schema(s)) equals s."""
    return {
        "id": schema.id,
        "version": schema.version,
        "provisioningTaskIdentifier": schema.provisioning_task_identifier,
        "directories": [_directory(each) for each in schema.directories],
        "synchronizationRules": [_rule(each) for each in schema.rules],
    }


def _metadata(pairs: Metadata) -> list[Document]:
    return [{"key": key, "value": value} for key, value in pairs]


def _directory(directory: Directory) -> Document:
    return {
        "id": directory.id,
        "name": directory.name,
        "version": directory.version,
        "readOnly": directory.read_only,
        "discoverabilities": directory.discoverabilities,
        "discoveryDateTime": directory.discovery_date_time,
        "metadata": _metadata(directory.metadata),
        "objects": [_object(each) for each in directory.objects],
    }


def _object(definition: ObjectDefinition) -> Document:
    return {
        "name": definition.name,
        "metadata": _metadata(definition.metadata),
        "supportedApis": list(definition.supported_apis),
        "attributes": [_attribute(each) for each in definition.attributes],
    }


def _attribute(attribute: AttributeDefinition) -> Document:
    return {
        "name": attribute.name,
        "type": attribute.type.value,
        "anchor": attribute.anchor,
        "required": attribute.required,
        "multivalued": attribute.multivalued,
        "mutability": attribute.mutability.value,
        "caseExact": attribute.case_exact,
        "defaultValue": attribute.default_value,
        "flowNullValues": attribute.flow_null_values,
        "referencedObjects": [
            {"referencedObjectName": each.object_name, "referencedProperty": each.property_name}
            for each in attribute.referenced_objects
        ],
        "apiExpressions": _metadata(attribute.api_expressions),
        "metadata": _metadata(attribute.metadata),
    }


def _rule(rule: Rule) -> Document:
    return {
        "id": rule.id,
        "name": rule.name,
        "editable": rule.editable,
        "priority": rule.priority,
        "sourceDirectoryName": rule.source_directory,
        "targetDirectoryName": rule.target_directory,
        "metadata": _metadata(rule.metadata),
        "containerFilter": {"includedContainers": list(rule.included_containers)},
        "groupFilter": {"includedGroups": list(rule.included_groups)},
        "objectMappings": [_object_mapping(each) for each in rule.object_mappings],
    }


def _object_mapping(mapping: ObjectMapping) -> Document:
    return {
        "name": mapping.name,
        "enabled": mapping.enabled,
        "flowTypes": ", ".join(each for each in _FLOWS if each in mapping.flow_types) or "None",
        "scope": dump_filter(mapping.scope),
        "sourceObjectName": mapping.source_object,
        "targetObjectName": mapping.target_object,
        "metadata": _metadata(mapping.metadata),
        "attributeMappings": [_attribute_mapping(each) for each in mapping.attribute_mappings],
    }


def dump_filter(scope: Filter) -> Document:
    """The JSON of a scope filter."""
    return {
        "groups": [_group(each) for each in scope.groups],
        "inputFilterGroups": [_group(each) for each in scope.input_groups],
        "categoryFilterGroups": [_group(each) for each in scope.category_groups],
    }


def _group(group: FilterGroup) -> Document:
    return {"name": group.name, "clauses": [_clause(each) for each in group.clauses]}


def _clause(clause: Clause) -> Document:
    return {
        "sourceOperandName": clause.attribute,
        "operatorName": clause.operator,
        "targetOperand": {"values": list(clause.values)},
    }


def _attribute_mapping(mapping: AttributeMapping) -> Document:
    return {
        "targetAttributeName": mapping.target,
        "source": None if mapping.source is None else to_graph(mapping.source),
        "defaultValue": mapping.default_value,
        "flowType": mapping.flow_type.value,
        "flowBehavior": mapping.flow_behavior.value,
        "matchingPriority": mapping.matching_priority,
        "exportMissingReferences": mapping.export_missing_references,
    }

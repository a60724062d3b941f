"""Why a target attribute has its value: every mapping of an object worked out on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from provisioning.engine.context import EvaluationContext
from provisioning.engine.errors import EvaluationError
from provisioning.engine.expressions import print_expression
from provisioning.engine.mapping import compile_mapping
from provisioning.engine.schema.conversion import Json
from provisioning.engine.schema.model import AttributeMapping, ObjectMapping
from provisioning.engine.values import Attributes

REDACTED: Final = "[Redact]"


@dataclass(frozen=True, slots=True)
class AttributeExplanation:
    """One target attribute: expression (None for a plain constant), value or error, and whether it flows.

    flows is false where the attribute is left alone; value None with flows true means: cleared.
    """

    target: str
    expression: str | None
    flow_type: str
    flows: bool
    value: Json
    error_code: str | None
    error: str | None


def explain_mapping(
    mapping: ObjectMapping, attributes: Attributes, context: EvaluationContext, *, creating: bool
) -> list[AttributeExplanation]:
    """Every attribute mapping with what it makes of the object; one that fails does not stop the others."""
    return [
        _explain(mapping, each, attributes, context, creating=creating) for each in mapping.attribute_mappings
    ]


def _explain(
    mapping: ObjectMapping,
    row: AttributeMapping,
    attributes: Attributes,
    context: EvaluationContext,
    *,
    creating: bool,
) -> AttributeExplanation:
    compiled = compile_mapping(replace(mapping, attribute_mappings=(row,)))
    found: dict[str, Json] = {}
    failure: EvaluationError | None = None
    try:
        mapped = compiled.apply(attributes, context, creating=creating)
        found = {**mapped.attributes, **mapped.create_only}
    except EvaluationError as error:
        failure = error
    value = found.get(row.target)
    return AttributeExplanation(
        target=row.target,
        expression=None if row.source is None else print_expression(row.source),
        flow_type=row.flow_type.value,
        flows=row.target in found,
        value=REDACTED if compiled.redacted and value is not None else value,
        error_code=failure.code if failure else None,
        error=failure.message if failure else None,
    )

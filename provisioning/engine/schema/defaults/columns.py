"""A compact notation for attribute tables, and what turns it into definitions and mappings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provisioning.engine.expressions import attribute_names, parse
from provisioning.engine.schema.model import (
    AttributeDefinition,
    AttributeMapping,
    AttributeType,
    FlowType,
    Mutability,
    ObjectDefinition,
    ReferencedObject,
)

TYPES: Final = {kind.value.lower(): kind for kind in AttributeType}


@dataclass(frozen=True, slots=True)
class Column:
    """One default mapping: target attribute, its type, and the expression that fills it.

    expression None means: the attribute exists and is not mapped. flags are words out of
    many, required, anchor, once, exact, match1 to match9, secret, keep (null leaves it alone).
    """

    target: str
    expression: str | None
    kind: AttributeType = AttributeType.STRING
    flags: frozenset[str] = frozenset()

    @property
    def matching(self) -> int:
        """The matching priority, 0 for none."""
        return next((int(flag[5:]) for flag in self.flags if flag.startswith("match")), 0)

    def definition(self, referenced: tuple[ReferencedObject, ...]) -> AttributeDefinition:
        """The target attribute; referenced is what it may point to if it is a reference."""
        required = bool(self.flags & {"required", "anchor"})
        return AttributeDefinition(
            name=self.target,
            type=self.kind,
            anchor="anchor" in self.flags,
            required=required,
            multivalued="many" in self.flags,
            mutability=Mutability.WRITE_ONLY if "secret" in self.flags else Mutability.READ_WRITE,
            case_exact="exact" in self.flags,
            flow_null_values=not required and not self.flags & {"secret", "keep"},
            referenced_objects=referenced if self.kind is AttributeType.REFERENCE else (),
        )

    def mapping(self) -> AttributeMapping | None:
        """The default mapping, None where there is none."""
        if self.expression is None:
            return None
        return AttributeMapping(
            target=self.target,
            source=parse(self.expression),
            flow_type=FlowType.OBJECT_ADD_ONLY if "once" in self.flags else FlowType.ALWAYS,
            matching_priority=self.matching,
        )


def columns(table: str) -> Iterator[Column]:
    """One column per line: target | expression | type | flags; the last two may be missing."""
    for line in filter(None, map(str.strip, table.splitlines())):
        parts = [part.strip() for part in line.split("|")]
        target, expression, kind, flags = [*parts, "", "", ""][:4]
        yield Column(
            target=target,
            expression=expression or None,
            kind=TYPES[(kind or "string").lower()],
            flags=frozenset(flags.split()),
        )


def object_definition(
    name: str, all_columns: Iterable[Column], referenced: tuple[str, ...] = ()
) -> ObjectDefinition:
    """The target object type of a table."""
    points_to = tuple(ReferencedObject(each, None) for each in referenced)
    return ObjectDefinition(name, tuple(column.definition(points_to) for column in all_columns))


def mappings(all_columns: Iterable[Column]) -> tuple[AttributeMapping, ...]:
    """The attribute mappings of a table."""
    return tuple(mapping for column in all_columns if (mapping := column.mapping()) is not None)


def sources(all_columns: Iterable[Column]) -> frozenset[str]:
    """The source attributes a table reads."""
    found = (attribute_names(mapping.source) for mapping in mappings(all_columns) if mapping.source)
    return frozenset(name for names in found for name in names)

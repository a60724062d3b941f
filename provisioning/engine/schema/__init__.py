"""A configuration's mapping document: read, check, write back, start from a default."""

from __future__ import annotations

from provisioning.engine.errors import SchemaError
from provisioning.engine.schema.defaults import default_schema
from provisioning.engine.schema.dump import dump_schema as dump
from provisioning.engine.schema.model import AttributeMapping, Filter, ObjectMapping, Rule, Schema
from provisioning.engine.schema.read import read_schema as load

__all__ = [
    "AttributeMapping",
    "Filter",
    "ObjectMapping",
    "Rule",
    "Schema",
    "SchemaError",
    "default_schema",
    "dump",
    "load",
]

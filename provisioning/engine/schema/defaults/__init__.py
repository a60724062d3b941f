"""The documents new configurations start from."""

from __future__ import annotations

from provisioning.engine.schema.defaults.document import default_schema

__all__ = ["default_schema"]

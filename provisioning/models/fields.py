"""Kinds of column that Django does not have."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WrittenJSONField(models.JSONField):
    """A JSON document kept as it was written (PostgreSQL's ``json``), for what is seldom looked into.

    The server checks it when it comes in, and takes it apart only where a query asks for a part: that is half of what
    ``jsonb`` costs. It has no order and no equality.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of the column."""
        return "json"

    def from_db_value(self, value: Any, expression: object, connection: BaseDatabaseWrapper) -> Any:
        """The document: of this type, unlike of ``jsonb``, the driver has read it already."""
        return value

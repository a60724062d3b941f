"""Kinds of column that Django does not have."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class WrittenJSONField(models.JSONField):
    """A JSON document kept as the text that it was written as, for what no query looks into.

    The server neither checks nor takes apart what only this program writes and reads.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of the column."""
        return "text"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        """The document as text."""
        return value if value is None else json.dumps(value, cls=self.encoder)

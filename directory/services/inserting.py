"""Rows that are nearly always new, inserted as such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

LEAVING_OUT: Final = " ON CONFLICT DO NOTHING"


def insert_new(
    cursor: Any, statement: str, parameters: Mapping[str, Any] | None = None, on_conflict: str = LEAVING_OUT
) -> None:
    """Run an INSERT; where a row of it is there already, once more with ``on_conflict``: for those that are not.

    To look for a conflict at each row, and to note in the log that there was none, takes half as long again as the
    rows themselves.
    """
    try:
        with transaction.atomic():
            cursor.execute(statement, parameters)
    except IntegrityError:
        cursor.execute(statement + on_conflict, parameters)

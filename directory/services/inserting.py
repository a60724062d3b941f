"""Rows that are nearly always new, inserted as such."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction


def insert_new(cursor: Any, statement: str) -> None:
    """Run an INSERT; where a row of it is there already, once more for those that are not.

    To look for a conflict at each row, and to note in the log that there was none, takes half as long again as the
    rows themselves.
    """
    try:
        with transaction.atomic():
            cursor.execute(statement)
    except IntegrityError:
        cursor.execute(f"{statement} ON CONFLICT DO NOTHING")

"""How many rows a table has, without reading all of a large one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from directory.models import Membership

# Up to here an exact count takes milliseconds.
EXACT_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class RowCount:
    """A number of rows; large ones are the planner's estimate."""

    value: int
    is_exact: bool


def live_objects(models: list[type[Model]]) -> list[RowCount]:
    """Objects that are not soft-deleted, by model: exact for small tables, estimated for large ones."""
    estimates = _planner_estimates([model._meta.db_table for model in models])
    return [_live_count(model, estimates.get(model._meta.db_table, 0)) for model in models]


def memberships() -> RowCount:
    """Memberships of the cloud directory."""
    table = Membership._meta.db_table
    estimate = _planner_estimates([table]).get(table, 0)
    if estimate > EXACT_LIMIT:
        return RowCount(estimate, is_exact=False)
    counted = Membership.objects.values("group_id")[: EXACT_LIMIT + 1].count()
    return RowCount(counted, is_exact=counted <= EXACT_LIMIT)


def _live_count(model: type[Model], estimate: int) -> RowCount:
    if estimate > EXACT_LIMIT:
        return RowCount(estimate, is_exact=False)
    counted = model._default_manager.filter(deleted_at__isnull=True)[: EXACT_LIMIT + 1].count()
    return RowCount(counted, is_exact=counted <= EXACT_LIMIT)


def _planner_estimates(tables: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::bigint FROM pg_class"
            " WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace",
            [tables],
        )
        return dict(cursor.fetchall())

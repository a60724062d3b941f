"""How many rows a table has, without reading all of a large one."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from directory.models import MemberSet

# Up to here an exact count takes milliseconds.
EXACT_LIMIT = 50_000
_COUNT_MEMBERS = """
SELECT count(*), coalesce(sum(cardinality(members)), 0) FROM (SELECT members FROM directory_memberset LIMIT %s) AS sets
"""
# The last number of this histogram is the mean.
_MEAN_SIZE = """
SELECT elem_count_histogram[array_upper(elem_count_histogram, 1)] FROM pg_stats
 WHERE schemaname = current_schema() AND tablename = %s AND attname = 'members' AND elem_count_histogram IS NOT NULL
"""


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
    """Memberships of the cloud directory: the sizes of its sets, or how many sets there are and their usual size."""
    table = MemberSet._meta.db_table
    estimate = _planner_estimates([table]).get(table, 0) * _usual_size(table)
    if estimate > EXACT_LIMIT:
        return RowCount(round(estimate), is_exact=False)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_MEMBERS, [EXACT_LIMIT + 1])
        sets, counted = cursor.fetchone()
    return RowCount(counted, is_exact=sets <= EXACT_LIMIT)


def _usual_size(table: str) -> float:
    """The mean number of members of a set; 0 as long as nobody knows."""
    with connection.cursor() as cursor:
        cursor.execute(_MEAN_SIZE, [table])
        row = cursor.fetchone()
    return float(row[0]) if row else 0.0


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

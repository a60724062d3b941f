"""Behind a big cycle nothing is left that an index by member has not sorted in."""

from __future__ import annotations

import pytest
from django.db import connection

from provisioning.store import sorting_in
from provisioning.tests.answering import GUIDS, PEOPLE, Bench, group

pytestmark = pytest.mark.django_db(transaction=True)


def left_to_sort_in() -> int:
    """Pages that a further sorting in would take."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(gin_clean_pending_list(name::regclass)) FROM unnest(%s::text[]) AS name",
            [list(sorting_in.INDEXES)],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(("many", "is_left"), [(5, False), (50_000, True)])
def test_a_cycle_that_wrote_much_sorts_in(monkeypatch: pytest.MonkeyPatch, many: int, is_left: bool) -> None:
    monkeypatch.setattr(sorting_in, "MANY", many)
    Bench.set_up().cycle([*PEOPLE, group("team", GUIDS)])
    assert (left_to_sort_in() > 0) == is_left

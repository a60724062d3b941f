"""How many memberships there are: counted while they are few, then said by the statistics."""

from __future__ import annotations

import pytest
from django.db import connection

from portal.console import estimates
from portal.console.estimates import RowCount
from portal.tests import factories

pytestmark = pytest.mark.django_db


def test_few_are_counted_and_many_are_estimated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert estimates.memberships() == RowCount(0, is_exact=True)
    people = [factories.user(number) for number in range(4)]
    factories.group("team", *people)
    factories.group("pair", *people[:2])
    assert estimates.memberships() == RowCount(6, is_exact=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE directory_memberset")
    monkeypatch.setattr(estimates, "EXACT_LIMIT", 5)
    assert estimates.memberships() == RowCount(6, is_exact=False)


def test_of_many_without_statistics_as_many_sets_as_are_read_at_once_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    people = [factories.user(number) for number in range(3)]
    for number in range(3):
        factories.group(f"team {number}", *people)
    monkeypatch.setattr(estimates, "EXACT_LIMIT", 1)
    assert estimates.memberships() == RowCount(6, is_exact=False)

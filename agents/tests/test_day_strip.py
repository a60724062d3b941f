from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from agents.day_strip import Change, day_strips, strip
from agents.heartbeat import flip_overdue
from agents.models import Agent
from agents.tests.cast import NOW, later, make_agent


def test_without_changes_the_day_is_one_stretch() -> None:
    assert strip([], "active", NOW, later(hours=24)) == [(NOW, later(hours=24), "active")]


def test_each_change_ends_a_stretch() -> None:
    changes = [Change(later(hours=1), "active", "late"), Change(later(hours=2), "late", "inactive")]
    assert strip(changes, "inactive", NOW, later(hours=3)) == [
        (NOW, later(hours=1), "active"),
        (later(hours=1), later(hours=2), "late"),
        (later(hours=2), later(hours=3), "inactive"),
    ]


def test_changes_outside_the_stretch_do_not_show() -> None:
    changes = [Change(later(hours=-1), "inactive", "active"), Change(later(hours=9), "active", "late")]
    assert strip(changes, "active", NOW, later(hours=3)) == [(NOW, later(hours=3), "active")]


@pytest.mark.django_db
def test_many_strips_cost_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    members = [make_agent(name=f"srv{number}") for number in range(5)]
    Agent.objects.update(registered_at=later(hours=-2))
    flip_overdue(later(minutes=30))
    agents = list(Agent.objects.all())
    with django_assert_num_queries(1):
        strips = day_strips(agents, later(hours=1))
    assert len(strips) == len(members)
    assert strips[members[0].id] == [
        (later(hours=-2), later(seconds=660), "active"),
        (later(seconds=660), later(hours=1), "late"),
    ]

"""A page that is stored sets a worker going, unless one is at it already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from uuid import UUID

import pytest
from django.db import connection

from provisioning import tasks
from provisioning.models import Cycle
from provisioning.store import locks
from provisioning.tests.answering import Bench

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The cycles that somebody was told to go on with."""
    told: list[int] = []
    monkeypatch.setattr(tasks.ingest, "delay", told.append)
    return told


@contextmanager
def held_by_another(cycle_id: int) -> Iterator[None]:
    """Another worker has the cycle for the time of the block."""
    has_it, may_end = Event(), Event()

    def work() -> None:
        with locks.cycle_lock(cycle_id) as owned:
            assert owned
            has_it.set()
            may_end.wait(30)
        connection.close()

    worker = Thread(target=work)
    worker.start()
    assert has_it.wait(30)
    try:
        yield
    finally:
        may_end.set()
        worker.join()


def begin() -> tuple[Cycle, UUID]:
    cycle = Bench.set_up().begin()
    assert cycle.request_id is not None
    return cycle, cycle.request_id


def test_a_page_sets_a_worker_going_unless_one_is_at_it(hints: list[int]) -> None:
    cycle, request = begin()
    handler = tasks.AnswerHandler()
    handler.page_stored(request)
    assert hints == [cycle.pk]
    with held_by_another(cycle.pk):
        handler.page_stored(request)
    assert hints == [cycle.pk]
    handler.page_stored(request)
    assert hints == [cycle.pk, cycle.pk]


def test_another_cycle_being_worked_on_keeps_nobody_from_this_one(hints: list[int]) -> None:
    cycle, request = begin()
    with held_by_another(cycle.pk + 1):
        tasks.AnswerHandler().page_stored(request)
    assert hints == [cycle.pk]


def test_a_failure_is_told_whoever_is_at_it(hints: list[int]) -> None:
    cycle, request = begin()
    with held_by_another(cycle.pk):
        tasks.AnswerHandler().request_failed(request)
    assert hints == [cycle.pk]

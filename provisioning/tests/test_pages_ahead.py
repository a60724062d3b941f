"""The next page is mapped by another process: what comes of it is the same, whatever becomes of the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psutil
import pytest
from django.db import connection

from agents.models import BusPage
from provisioning.models import Configuration, Cycle, CycleStep, SourceMember, SourceObject
from provisioning.services import configurations, failing, ingest, restarting
from provisioning.services.clock import now
from provisioning.services.helper import Helper
from provisioning.services.hints import Hint, Step
from provisioning.services.pages_ahead import AHEAD, MappedPage, PagesAhead
from provisioning.store import staging
from provisioning.tests.answering import Bench, Resource, changed, group, guid_of, user
from provisioning_agent.wire.pages import AD_SCHEMA

pytestmark = pytest.mark.django_db(transaction=True)

NOW = now()
FAILED = "a process that maps pages ahead failed"


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes that were begun."""
    begun: list[int] = []
    fork = os.fork

    def noting() -> int:
        if process := fork():
            begun.append(process)
        return process

    monkeypatch.setattr(os, "fork", noting)
    return begun


@pytest.fixture(autouse=True)
def _nobody_is_left(forks: list[int]) -> Iterator[None]:
    yield
    assert not [one for one in forks if psutil.pid_exists(one)]


def company() -> list[list[Resource]]:
    """Five pages: people, hostile ones among them, and groups whose members are spread over pages."""
    people = [user(f"user{number}", department=f"R&D {number}") for number in range(40)]
    hostile = [
        user("ada", department="R\0&D"),
        user("bob", manager={"value": "nobody"}),
        user("eve", displayName=1.5, objectSid=["x"]),
        user("mallory", department='tab\there, a\\backslash, "quotes", \\N, a\nline and Žluťoučký 馬'),
    ]
    guids = [guid_of(one) for one in people + hostile]
    team = group("team", guids[:30] + guids[:3])
    rest = {**team, "members": {"whole": False, "added": [str(one) for one in guids[25:]], "removed": []}}
    rest["meta"] = {**team["meta"], "continues": True}
    del rest[AD_SCHEMA]
    return [
        people[:20],
        [*hostile, changed(hostile[0], title="Dr")],
        people[20:],
        [team],
        [rest, group("none", [])],
    ]


def begun(*pages: list[Resource], complete: bool = True) -> tuple[Bench, Cycle]:
    bench = Bench.set_up()
    cycle = bench.begin()
    bench.answer(*pages, mode="initial", complete=complete)
    return bench, cycle


def place(cycle: Cycle, number: int) -> tuple[UUID, int, int]:
    assert cycle.request_id is not None
    return cycle.request_id, 1, number


def taken(cycle: Cycle, configuration: Configuration, *, looks: bool) -> list[MappedPage | None]:
    """Every page of an answer, ahead or each when it is asked for."""
    mapped: list[MappedPage | None] = []
    with PagesAhead() as pages:
        for number in range(1, BusPage.objects.filter(request_id=cycle.request_id).count() + 1):
            mapped.append(pages.take(place(cycle, number), configuration, NOW))
            if looks:
                pages.look(place(cycle, number + 1), configuration, NOW)
    return mapped


def rows() -> list[Any]:
    """All that was merged, without what differs from cycle to cycle."""
    left_out = {"id", "configuration_id", "told_in", "updated_at"}
    names = [one.attname for one in SourceObject._meta.concrete_fields if one.attname not in left_out]
    members = SourceMember.objects.values_list("group__guid", "member_guid", "is_primary")
    objects = SourceObject.objects.order_by("guid").values_list(*names)
    return [*(dict(zip(names, map(_plain, one), strict=True)) for one in objects), *sorted(members)]


def merged(cycle: Cycle) -> list[Any]:
    """The rows that the answer of a cycle leaves, with nothing there before."""
    SourceObject.objects.all().delete()
    Cycle.objects.filter(pk=cycle.pk).update(step=CycleStep.READING, pages_read=0, count_imported=0)
    assert ingest.ingest(cycle.pk) == [Hint(Step.PLAN, cycle.pk)]
    return rows()


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_a_page_mapped_ahead_is_the_page(forks: list[int]) -> None:
    bench, cycle = begun(*company())
    ahead = taken(cycle, bench.configuration, looks=True)
    assert len(forks) == AHEAD
    assert ahead == taken(cycle, bench.configuration, looks=False)
    assert len(forks) == AHEAD
    assert all(ahead)


def test_a_read_of_several_pages_has_the_rows_that_it_has_without_help(
    forks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cycle = begun(*company())
    helped = merged(cycle)
    assert len(forks) == AHEAD
    assert len(helped) > 80
    monkeypatch.setattr(PagesAhead, "look", lambda *_: None)
    assert merged(cycle) == helped
    assert len(forks) == AHEAD


def test_a_second_read_of_what_is_known_changes_nothing(forks: list[int]) -> None:
    bench, pages = Bench.set_up(), company()
    bench.cycle(*pages)
    before = rows()
    restarting.restart(bench.job, now())
    bench.cycle(*pages, mode="initial")
    assert len(forks) == 2 * AHEAD
    assert rows() == before


def test_an_answer_of_two_pages_begins_one_process(forks: list[int]) -> None:
    Bench.set_up().cycle([user("ada")], [user("bob")])
    assert len(forks) == 1


def test_an_answer_of_one_page_begins_no_process(forks: list[int]) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    bench.cycle([user("bob")])
    assert forks == []


def test_a_page_that_is_not_there_yet_begins_no_process(forks: list[int]) -> None:
    _, cycle = begun([user("ada")], complete=False)
    assert ingest.ingest(cycle.pk) == []
    assert SourceObject.objects.count() == 1
    assert forks == []


def test_a_process_that_is_killed_at_its_work_loses_nothing(
    forks: list[int], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, cycle = begun(*company())
    expected = merged(cycle)
    give = Helper.give

    def and_kill(helper: Helper[..., Any], *args: Any) -> None:
        give(helper, *args)
        os.kill(forks[-1], signal.SIGKILL)

    monkeypatch.setattr(Helper, "give", and_kill)
    assert merged(cycle) == expected
    assert len(forks) == 2 * AHEAD
    assert sum(FAILED in one.message for one in caplog.records) == 1


def test_where_there_can_be_no_process_pages_are_mapped_all_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, cycle = begun(*company())
    expected = merged(cycle)

    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    assert merged(cycle) == expected
    assert sum(FAILED in one.message for one in caplog.records) == 1


def test_a_mapping_saved_meanwhile_makes_what_was_mapped_worthless(forks: list[int]) -> None:
    bench, cycle = begun(*company())
    before = taken(cycle, bench.configuration, looks=False)
    with PagesAhead() as pages:
        pages.look(place(cycle, 1), bench.configuration, NOW)
        configurations.change_schema(bench.configuration, without_people_in_scope(bench), now())
        first = pages.take(place(cycle, 1), bench.configuration, NOW)
        pages.look(place(cycle, 2), bench.configuration, NOW)
        second = pages.take(place(cycle, 2), bench.configuration, NOW)
    assert len(forks) == 2 * AHEAD
    after = taken(cycle, bench.configuration, looks=False)
    assert [first, second] == after[:2]
    assert after[:2] != before[:2]


def test_a_mapping_saved_between_two_looks_is_used(forks: list[int]) -> None:
    bench, cycle = begun(*company())
    with PagesAhead() as pages:
        pages.look(place(cycle, 1), bench.configuration, NOW)
        pages.take(place(cycle, 1), bench.configuration, NOW)
        configurations.change_schema(bench.configuration, without_people_in_scope(bench), now())
        pages.look(place(cycle, 2), bench.configuration, NOW)
        second = pages.take(place(cycle, 2), bench.configuration, NOW)
    assert len(forks) == 2 * AHEAD
    assert second == taken(cycle, bench.configuration, looks=False)[1]


def after_a_page(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Something happens as soon as a page is merged."""
    merge = staging.merge

    def and_then(*args: Any, **kwargs: Any) -> None:
        merge(*args, **kwargs)
        happens()

    monkeypatch.setattr(staging, "merge", and_then)


def test_a_mapping_saved_while_a_page_is_merged_counts_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [user(name) for name in ("ada", "bob", "eve")]
    bench, cycle = begun(*([one] for one in people))
    document = without_people_in_scope(bench)
    save = iter([lambda: configurations.change_schema(bench.configuration, document, now())])
    after_a_page(monkeypatch, lambda: next(save, lambda: None)())
    assert ingest.ingest(cycle.pk) == [Hint(Step.PLAN, cycle.pk)]
    in_scope = dict(SourceObject.objects.values_list("guid", "in_scope"))
    assert [in_scope[guid_of(one)] for one in people] == [True, False, False]
    cycle.refresh_from_db()
    assert (cycle.pages_read, cycle.count_imported, cycle.read_as) == (3, 3, "")


def test_a_cycle_that_ended_otherwise_takes_no_further_page(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cycle = begun([user("ada")], [user("bob")], [user("eve")])
    after_a_page(monkeypatch, lambda: failing.fail(cycle, "TimeOut", "", now()))
    assert ingest.ingest(cycle.pk) == []
    assert SourceObject.objects.count() == 1
    cycle.refresh_from_db()
    assert cycle.step == CycleStep.FAILED


def without_people_in_scope(bench: Bench) -> dict[str, Any]:
    """The schema document with users of a department that nobody is in."""
    document: dict[str, Any] = Configuration.objects.get(pk=bench.configuration.pk).schema
    operand = {"values": ["Nowhere"]}
    clause = {"sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": operand}
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        if mapping["sourceObjectName"] == "user":
            mapping["scope"] = {"groups": [{"name": "Staff", "clauses": [clause]}]}
    return document


def test_a_page_nobody_can_read_is_met_by_the_one_who_asks_for_it(forks: list[int]) -> None:
    bench, cycle = begun(*company())
    BusPage.objects.filter(number=2).update(body=b"this is no page")
    errors = []
    for looks in (True, False):
        with pytest.raises(Exception, match="gzip") as met:
            taken(cycle, bench.configuration, looks=looks)
        errors.append(met.type)
    assert errors[0] is errors[1]
    assert len(forks) == AHEAD


def test_the_server_sees_no_further_connection() -> None:
    bench, cycle = begun(*company())

    def connections() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            return int(cursor.fetchone()[0])

    before = connections()
    with PagesAhead() as pages:
        pages.take(place(cycle, 1), bench.configuration, NOW)
        pages.look(place(cycle, 2), bench.configuration, NOW)
        assert connections() == before
        assert pages.take(place(cycle, 2), bench.configuration, NOW)
    assert connections() == before

"""A full read leaves new objects unmarked, so that their wide rows are written once: none of them is forgotten."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from rest_framework.test import APIClient

from directory.models import User
from provisioning.models import Cycle, CycleStep, Escrow, JobState, Link, SourceObject
from provisioning.models.link import LinkState
from provisioning.services import exporting, failing, ingest, jobs, planning, restarting
from provisioning.services.clock import now
from provisioning.services.hints import Hint
from provisioning.tests.answering import Bench, Resource, changed, guid_of, run_to_end, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def read(bench: Bench, *resources: Resource) -> tuple[Cycle, list[Hint]]:
    """An initial cycle whose pages are merged."""
    cycle = bench.begin()
    bench.answer(list(resources), mode="initial")
    hints = ingest.ingest(cycle.pk)
    return cycle, hints


def in_directory() -> set[str]:
    return {str(name) for name in User.objects.filter(deleted_at=None).values_list("display_name", flat=True)}


def marked() -> set[str]:
    rows = SourceObject.objects.filter(is_dirty=True).values_list("attributes", flat=True)
    return {str(one["displayName"]) for one in rows}


def manager_of(name: str) -> str | None:
    manager = User.objects.get(display_name=name).manager_id
    return User.objects.get(pk=manager).display_name if manager else None


def below(name: str, boss: Resource) -> Resource:
    return user(name, manager={"value": boss["id"], "display": "CN=boss"})


def versions() -> dict[str, str]:
    """Where each row of a source object lies: another place after every write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT attributes::json->>'displayName', ctid::text FROM provisioning_sourceobject")
        return dict(cursor.fetchall())


def test_they_are_created_and_their_rows_stay_as_they_were_written() -> None:
    bench = Bench.set_up()
    boss, eve = user("boss"), user("eve")
    _, hints = read(bench, boss, below("ada", boss), eve)
    SourceObject.objects.filter(guid=guid_of(eve)).update(is_dirty=True)
    before = versions()
    run_to_end(hints)
    assert in_directory() == {"boss", "ada", "eve"}
    assert manager_of("ada") == "boss"
    assert not marked()
    assert {name for name, place in versions().items() if place != before[name]} == {"eve"}
    assert bench.cycle().count_planned == 0


def test_their_ids_begin_with_the_time_and_end_with_where_they_come_from() -> None:
    bench = Bench.set_up()
    _, hints = read(bench, user("ada"), user("bob"))
    run_to_end(hints)
    ids = list(User.objects.values_list("pk", flat=True))
    assert {one.version for one in ids} == {7}
    assert {one.node for one in ids} == set(SourceObject.objects.values_list("pk", flat=True))
    assert len({one.hex[:20] for one in ids}) == 1


def test_a_plan_that_is_rejected_leaves_them_to_the_next_initial_cycle() -> None:
    bench = Bench.set_up(delete_threshold=1)
    bob = user("bob")
    bench.cycle([bob])
    restarting.restart(bench.job, now())
    ada = user("ada")
    cycle, hints = read(bench, ada)
    run_to_end(hints)
    assert Cycle.objects.get(pk=cycle.pk).step == CycleStep.HELD
    jobs.reject_deletes(bench.job, now())
    assert in_directory() == {"bob"}
    jobs.start(bench.job, now())
    again = bench.cycle([ada, bob])
    assert again.kind == "initial"
    assert in_directory() == {"ada", "bob"}


def test_a_cycle_that_fails_leaves_them_to_the_next_initial_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench.set_up()
    for module in (planning, exporting):
        monkeypatch.setattr(module, "BATCH_SIZE", 1)
    ada, bob = user("ada"), user("bob")
    cycle, hints = read(bench, ada, bob)
    first, *_ = run_some(hints)
    run_some([first])
    assert len(in_directory()) == 1
    cycle.refresh_from_db()
    failing.fail(cycle, "RequestTimedOut", "", now())
    assert bench.cycle([ada, bob]).kind == "initial"
    assert in_directory() == {"ada", "bob"}
    assert not marked()


def test_a_full_read_that_nobody_asked_for_and_that_fails_leaves_them_to_a_delta() -> None:
    """An agent whose cookie was refused reads everything and is lost; another one takes it and tells nothing."""
    bench = Bench.set_up()
    bob = user("bob")
    bench.cycle([bob])
    cycle = bench.begin()
    assert cycle.kind == "delta"
    bench.answer([user("ada"), bob], mode="initial", complete=False)
    ingest.ingest(cycle.pk)
    failing.fail(cycle, "RequestTimedOut", "", now())
    assert bench.job.has_unmarked
    assert not marked()
    assert bench.cycle().kind == "delta"
    assert in_directory() == {"ada", "bob"}
    assert not bench.job.has_unmarked


def run_some(hints: list[Hint]) -> list[Hint]:
    """Do what these hints ask for and nothing that follows from it."""
    from provisioning.tests.answering import run_one

    return [after for hint in hints for after in run_one(hint)]


def test_one_that_fails_is_marked_and_tried_again_by_a_delta() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    second = user("ada2", UUID(int=2), userPrincipalName="ada@corp.example")
    boss = user("ada", UUID(int=1))
    _, hints = read(bench, boss, second, below("bob", second))
    run_to_end(hints)
    assert in_directory() == {"ada", "bob"}
    assert marked() == {"ada2"}
    assert manager_of("bob") is None
    bench.cycle([changed(boss, userPrincipalName="other@corp.example")])
    Escrow.objects.update(retry_at=now())
    cycle = bench.cycle()
    assert cycle.kind == "delta"
    assert in_directory() == {"ada", "ada2", "bob"}
    assert manager_of("bob") == "ada2"
    assert not marked()


def test_one_in_escrow_waits_for_its_time_in_an_initial_cycle_too() -> None:
    bench = Bench.set_up(parks_duplicates=False)
    people = [user("ada", UUID(int=1)), user("ada2", UUID(int=2), userPrincipalName="ada@corp.example")]
    bench.cycle(people)
    assert bench.cycle(people, mode="initial").count_planned == 0
    assert marked() == {"ada2"}


def test_a_manager_who_is_not_there_is_still_to_come() -> None:
    bench = Bench.set_up()
    boss = user("boss")
    _, hints = read(bench, below("ada", boss))
    run_to_end(hints)
    assert manager_of("ada") is None
    bench.cycle([boss])
    assert manager_of("ada") == "boss"


def test_one_that_goes_before_it_was_created_never_comes() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    cycle, _ = read(bench, ada)
    failing.fail(cycle, "RequestTimedOut", "", now())
    assert bench.cycle([tombstone(ada)], [user("bob")]).count_failed == 0
    assert in_directory() == {"bob"}


def test_explanation_and_preview_tell_that_they_are_still_to_come(api: APIClient) -> None:
    bench = Bench.set_up()
    ada = user("ada")
    cycle, _ = read(bench, ada)
    failing.fail(cycle, "RequestTimedOut", "", now())
    assert bench.job.state == JobState.ACTIVE
    address = f"/api/v1/configurations/{bench.configuration.pk}"
    explained = api.get(f"{address}/explain", {"object": ada["id"]}).json()
    assert explained["verdict"]["code"] == "Waiting"
    assert api.get(f"{address}/preview").json()["counts"] == {"user": {"create": 1}}


def test_one_that_was_linked_since_the_plan_is_linked_to_what_was_created() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    _, hints = read(bench, ada, user("bob"))
    planned = run_some(hints)
    Link.objects.create(
        source=SourceObject.objects.get(guid=guid_of(ada)),
        configuration=bench.configuration,
        target_id=str(UUID(int=7)),
        state=LinkState.DELETED,
        exported_hash=b"",
        linked_at=now(),
        updated_at=now(),
    )
    run_to_end(planned)
    linked = set(Link.objects.filter(state=LinkState.ACTIVE).values_list("target_id", flat=True))
    assert linked == {str(one) for one in User.objects.values_list("pk", flat=True)}
    assert len(linked) == 2

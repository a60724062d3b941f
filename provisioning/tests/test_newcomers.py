"""Objects that are told of for the first time are copied into the tables: nothing is lost or told wrong by that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from agents.bus import giving_back
from directory.models import Group, User
from provisioning.models import CycleStep, SourceMember, SourceObject
from provisioning.services import ingest
from provisioning.services.clock import now
from provisioning.services.hints import Hint, Step
from provisioning.services.page_reader import read_objects
from provisioning.services.reading import of
from provisioning.store import staging
from provisioning.store.encoding import encoded
from provisioning.tests.answering import (
    Bench,
    changed,
    group,
    guid_of,
    run_to_end,
    user,
)

pytestmark = pytest.mark.django_db(transaction=True)

AWKWARD = 'tab\there, a\\backslash, "quotes", \\N, a\nline and Žluťoučký 馬'


def test_what_ends_fields_and_lines_arrives_as_it_is() -> None:
    bench = Bench.set_up()
    ada = user("ada", department=AWKWARD, distinguishedName=f"CN=ada\\, {AWKWARD},DC=corp,DC=example")
    bench.cycle([ada])
    source = SourceObject.objects.get()
    assert source.dn == f"CN=ada\\, {AWKWARD},DC=corp,DC=example"
    assert source.attributes["department"] == AWKWARD
    assert User.objects.get().department == AWKWARD


def test_an_account_that_expires_keeps_its_moment_to_the_microsecond() -> None:
    bench = Bench.set_up()
    moment = now().replace(microsecond=123457) + timedelta(days=3)
    since_1601 = (moment - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    bench.cycle([user("ada", accountExpires=since_1601 * 10)])
    assert SourceObject.objects.get().state_changes_at == moment


def test_an_object_that_a_page_tells_twice_is_as_told_last() -> None:
    bench = Bench.set_up()
    ada = user("ada", department="R&D")
    cycle = bench.cycle([ada, changed(ada, department="Sales")])
    assert cycle.step == CycleStep.DONE
    assert User.objects.get().department == "Sales"


def test_a_member_that_is_told_twice_is_one_member() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada, group("team", [guid_of(ada), guid_of(ada)])])
    assert SourceMember.objects.count() == 1
    assert Group.objects.get().memberships.count() == 1


def test_one_that_somebody_else_has_just_added_is_merged() -> None:
    """The look at what is known passes ada by, here for another way to write her guid: the page is merged whole."""
    bench = Bench.set_up()
    ada, bob = user("ada"), user("bob")
    bench.cycle([ada])
    team = group("team", [guid_of(bob)])
    page = read_objects({"Resources": [changed(ada, title="Dr"), bob, team]}, of(bench.configuration), now())
    page.objects[0] = page.objects[0]._replace(guid=ada["id"].upper())
    with transaction.atomic():
        staging.merge(bench.configuration.pk, 0, encoded(page), now(), mark_seen=False)
    assert SourceObject.objects.get(guid=ada["id"]).attributes["title"] == "Dr"
    assert SourceObject.objects.count() == 3
    assert SourceMember.objects.get().member_guid == guid_of(bob)


def test_after_a_page_of_new_objects_the_next_is_presumed_to_be_new_until_it_is_not() -> None:
    """An agent may tell of an object on two pages: it moved between them, or changed."""
    bench = Bench.set_up()
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    cycle = bench.begin()
    bench.answer(
        [ada],
        [bob, group("crew", [guid_of(bob)])],
        [changed(ada, title="Dr"), eve, group("team", [guid_of(eve)])],
        [changed(bob, title="Sir")],
        mode="initial",
    )
    with CaptureQueriesContext(connection) as queries:
        ingest.ingest(cycle.pk)
    looked_up = [one["sql"] for one in queries if one["sql"].lstrip().startswith("SELECT guid::text")]
    # Each page but the second, which was all new after one that was; and twice the group of a page.
    assert len(looked_up) == 3 + 2
    run_to_end([Hint(Step.PLAN, cycle.pk)])
    titles = {one.display_name: one.attributes.get("JobTitle") for one in User.objects.all()}
    assert titles == {"ada": "Dr", "bob": "Sir", "eve": None}
    members = {one.display_name: one.memberships.count() for one in Group.objects.all()}
    assert members == {"crew": 1, "team": 1}


def test_what_a_first_attempt_told_does_not_count_for_the_second() -> None:
    bench = Bench.set_up()
    ada, bob = user("ada"), user("bob")
    cycle = bench.begin()
    bench.answer([ada, bob], mode="initial", complete=False)
    assert ingest.ingest(cycle.pk) == []
    assert SourceObject.objects.filter(told_in=cycle.pk).count() == 2
    # The lease runs out, another agent reads from the start, and by then bob is gone.
    giving_back.expire_leases(now() + timedelta(seconds=settings.BUS_LEASE_S + 1))
    bench.answer([ada], mode="initial")
    run_to_end([Hint(Step.INGEST, cycle.pk)])
    assert SourceObject.objects.get(guid=bob["id"]).gone_reason == "unseen"
    assert {one.display_name for one in User.objects.all()} == {"ada"}
    cycle.refresh_from_db()
    assert cycle.step == CycleStep.DONE

"""Members in the log: by id where a cycle fills a group that it has created, by name in all other rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from directory.models import User
from provisioning.engine.restart import FULL
from provisioning.models import Cycle, Job, ProvisioningLogEntry, SourceObject
from provisioning.services import removing, restarting
from provisioning.services.clock import now
from provisioning.store import logs
from provisioning.store.outbound import Outcome, StagedMemberships
from provisioning.targets.directory import DirectoryTarget
from provisioning.tests.answering import (
    GUIDS,
    PEOPLE,
    Bench,
    Resource,
    group,
    guid_of,
    membership_change,
    tombstone,
    user,
)
from provisioning.tests.test_neighbours import another

pytestmark = pytest.mark.django_db(transaction=True)


def rows_of(name: str, cycle: Cycle) -> list[ProvisioningLogEntry]:
    """The rows of a cycle about a group's members, the oldest first."""
    rows = ProvisioningLogEntry.objects.filter(cycle_id=cycle.pk, action="Update")
    return list(rows.filter(source_name__startswith=f"CN={name}").order_by("id"))


def told(row: ProvisioningLogEntry) -> dict[str, Any]:
    """What a row says of members, each by the first part of its name."""
    [one] = row.modified
    assert one.keys() == {"displayName", "count", "oldValue", "newValue"}
    short = {key: [name.split(",")[0][3:] for name in one[key] or ()] for key in ("oldValue", "newValue")}
    return {"displayName": one["displayName"], "count": one["count"], **short}


def added(count: int, *names: str) -> dict[str, Any]:
    """The same as it is expected of additions."""
    return {"displayName": "members added", "count": count, "oldValue": [], "newValue": list(names)}


def run(bench: Bench, *resources: Resource) -> Cycle:
    """A cycle of one of several domains, the others resting."""
    Job.objects.exclude(pk=bench.job.pk).update(next_run_at=now() + timedelta(hours=1))
    return bench.cycle(list(resources))


def renamed(resource: Resource, name: str) -> Resource:
    """The same account under another name."""
    return user(name, guid_of(resource))


def test_a_new_groups_members_are_kept_by_id_and_told_by_their_present_names() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([*PEOPLE, group("team", GUIDS)])
    [row] = rows_of("team", cycle)
    assert set(row.members or ()) == set(
        SourceObject.objects.filter(guid__in=GUIDS).values_list("pk", flat=True)
    )
    assert row.stored_modified[0]["newValue"] is None
    assert row.modified[0]["oldValue"] is None
    assert told(row) == added(3, "ada", "bob", "eve")
    bench.cycle([renamed(PEOPLE[0], "zoe")])
    assert told(rows_of("team", cycle)[0]) == added(3, "bob", "eve", "zoe")


def test_later_changes_keep_the_names_of_their_time() -> None:
    bench = Bench.set_up()
    team = group("team", GUIDS[:1])
    bench.cycle([*PEOPLE, team])
    change = bench.cycle([membership_change(team, added=[GUIDS[1]], removed=[GUIDS[0]])])
    bench.cycle([renamed(PEOPLE[0], "zoe"), renamed(PEOPLE[1], "max")])
    removal, addition = sorted(
        map(told, rows_of("team", change)), key=lambda one: one["displayName"], reverse=True
    )
    assert addition == added(1, "bob")
    assert removal == {"displayName": "members removed", "count": 1, "oldValue": ["ada"], "newValue": []}
    assert {row.members for row in rows_of("team", change)} == {None}


def test_one_batch_may_fill_a_new_group_and_change_another() -> None:
    bench = Bench.set_up()
    team = group("team", GUIDS[:1])
    bench.cycle([*PEOPLE, team])
    cycle = bench.cycle([membership_change(team, added=[GUIDS[2]]), group("club", GUIDS[:2])])
    [filled], [changed] = rows_of("club", cycle), rows_of("team", cycle)
    assert (told(filled), filled.members is None) == (added(2, "ada", "bob"), False)
    assert (told(changed), changed.members) == (added(1, "eve"), None)


def test_a_row_names_so_many_members_and_counts_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = logs._FILLS.replace(f"[1:{logs.NAMED_MEMBERS}]", "[1:2]")
    monkeypatch.setattr(logs, "_FILLS", fewer)
    cycle = Bench.set_up().cycle([*PEOPLE, group("team", GUIDS)])
    [row] = rows_of("team", cycle)
    assert (told(row)["count"], len(told(row)["newValue"]), len(row.members or ())) == (3, 2, 2)


def test_what_a_target_refuses_of_a_new_group_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    written: Callable[..., list[Outcome]] = DirectoryTarget.change_members

    def refuse_one(target: DirectoryTarget, staged: StagedMemberships) -> list[Outcome]:
        bob = str(User.objects.get(display_name="bob").pk)
        [refused] = [one.id for one in staged.read() if one.member_id == bob]
        return [*written(target, staged), Outcome(refused, error_code="AttributeValueTooLong")]

    monkeypatch.setattr(DirectoryTarget, "change_members", refuse_one)
    cycle = Bench.set_up().cycle([*PEOPLE, group("team", GUIDS)])
    by_status = {row.status: row for row in rows_of("team", cycle)}
    assert told(by_status["Success"]) == added(2, "ada", "eve")
    assert told(by_status["Failure"]) == added(1, "bob")
    assert by_status["Failure"].members is None


def test_who_has_left_active_directory_is_named_all_the_same() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([*PEOPLE, group("team", GUIDS)])
    bench.cycle([tombstone(PEOPLE[1])])
    assert told(rows_of("team", cycle)[0]) == added(3, "ada", "bob", "eve")


def test_whose_source_object_has_vanished_is_still_counted() -> None:
    cycle = Bench.set_up().cycle([*PEOPLE, group("team", GUIDS)])
    SourceObject.objects.filter(guid=GUIDS[1]).delete()
    assert told(rows_of("team", cycle)[0]) == added(3, "ada", "eve")
    SourceObject.objects.filter(guid__in=GUIDS).delete()
    assert rows_of("team", cycle)[0].modified == [
        {"displayName": "members added", "count": 3, "oldValue": None, "newValue": []}
    ]


def test_a_reset_leaves_names_in_the_log() -> None:
    bench = Bench.set_up()
    everyone = [*PEOPLE, group("team", GUIDS)]
    cycle = bench.cycle(everyone)
    restarting.restart(bench.job, now(), FULL)
    assert not SourceObject.objects.exists()
    [row] = rows_of("team", cycle)
    assert (told(row), row.members) == (added(3, "ada", "bob", "eve"), None)
    # What is read anew has other ids.
    bench.cycle(everyone, mode="initial")
    assert told(rows_of("team", cycle)[0]) == added(3, "ada", "bob", "eve")


def test_so_does_the_removal_of_a_configuration() -> None:
    main, beside = Bench.set_up(), another("beside", target="Another")
    first = run(main, *PEOPLE, group("team", GUIDS))
    other = run(beside, *PEOPLE, group("rest", GUIDS))
    removing.remove(main.configuration)
    [team], [rest] = rows_of("team", first), rows_of("rest", other)
    assert (told(team), team.members) == (added(3, "ada", "bob", "eve"), None)
    assert (told(rest), rest.members is None) == (added(3, "ada", "bob", "eve"), False)


def test_members_of_another_configuration_are_kept_by_name() -> None:
    main, child = Bench.set_up(), another("child")
    zoe = user("zoe")
    run(child, zoe)
    cycle = run(main, *PEOPLE, group("team", [*GUIDS, guid_of(zoe)]), group("club", GUIDS))
    [team], [club] = rows_of("team", cycle), rows_of("club", cycle)
    assert (team.members, club.members is None) == (None, False)
    removing.remove(child.configuration)
    assert told(rows_of("team", cycle)[0])["newValue"].count("zoe") == 1
    assert sorted(told(team)["newValue"]) == ["ada", "bob", "eve", "zoe"]
    assert told(rows_of("club", cycle)[0]) == added(3, "ada", "bob", "eve")


def test_rows_from_before_keep_their_names() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle(PEOPLE)
    names = [{"displayName": "members added", "count": 1, "oldValue": None, "newValue": ["CN=ada,DC=x"]}]
    entry = ProvisioningLogEntry.objects.create(
        at=now(),
        configuration_id=bench.configuration.pk,
        cycle_id=cycle.pk,
        object_type=2,
        source_guid=UUID(int=9),
        source_name="CN=old",
        action="Update",
        status="Success",
        stored_modified=names,
    )
    assert ProvisioningLogEntry.objects.get(pk=entry.pk).modified == names


def test_a_page_of_rows_is_one_query_and_an_entry_alone_one_more(
    django_assert_num_queries: Any,
) -> None:
    cycle = Bench.set_up().cycle([*PEOPLE, *(group(f"team-{number}", GUIDS) for number in range(4))])
    with django_assert_num_queries(1):
        shown = [told(row) for row in rows_of("team-", cycle)]
    assert shown == [added(3, "ada", "bob", "eve")] * 4
    alone = ProvisioningLogEntry._base_manager.filter(cycle_id=cycle.pk, members__isnull=False)[0]
    with django_assert_num_queries(1):
        assert told(alone) == added(3, "ada", "bob", "eve")


def test_counting_rows_looks_up_no_names(django_assert_num_queries: Any) -> None:
    cycle = Bench.set_up().cycle([*PEOPLE, group("team", GUIDS)])
    rows = ProvisioningLogEntry.objects.filter(cycle_id=cycle.pk)
    with django_assert_num_queries(2) as asked:
        assert (rows.count(), rows.order_by()[:3].count()) == (5, 3)
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN {query['sql']}")
            assert "sourceobject" not in str(cursor.fetchall())

"""Members that Active Directory tells of are kept as sets: each is in one of them, whatever is told how often."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction

from provisioning.models import SourceMember, SourceMemberSet, SourceObject
from provisioning.services.clock import now
from provisioning.services.page_reader import read_objects
from provisioning.services.reading import of
from provisioning.store import member_sets, staging
from provisioning.store.copy_binary import NO_UUIDS, arrays, elements, rows, start
from provisioning.store.encoding import encoded
from provisioning.tests.answering import Bench, Resource, group, membership_change, user

pytestmark = pytest.mark.django_db(transaction=True)

TEAM = UUID(int=1)
MANY = member_sets.SET_SIZE * 2 + 1


def people(numbers: Iterable[int]) -> list[UUID]:
    """Members who need not be there."""
    return [UUID(int=1000 + number) for number in numbers]


def merge(bench: Bench, *resources: Resource) -> None:
    """One page, as a delta tells it; the group is no more marked before."""
    SourceObject.objects.update(members_dirty=False)
    page = read_objects({"Resources": resources}, of(bench.configuration), now())
    with transaction.atomic():
        staging.merge(bench.configuration.pk, 0, encoded(page), now(), mark_seen=False)


def told(added: list[UUID], removed: list[UUID]) -> Resource:
    """A change of the group's members."""
    return membership_change(group("team", [], TEAM), added, removed)


def sizes() -> list[int]:
    """How many members each set has, in the order in which they were written."""
    return [len(one) for one in SourceMemberSet.objects.order_by("id").values_list("members", flat=True)]


def members() -> list[UUID]:
    """Every member of every set: one who is in two of them is here twice."""
    return sorted(SourceMember.objects.values_list("member_guid", flat=True))


def is_marked() -> bool:
    """Whether the next plan looks at the group."""
    return SourceObject.objects.get(guid=TEAM).members_dirty


@pytest.mark.parametrize(("count", "expected"), [(1, [1]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_arrays_are_as_the_server_takes_them(count: int, expected: list[int]) -> None:
    guids = people(range(count))
    of_them = elements(map(str, guids))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE taken (place serial, members uuid[])")
        with cursor.copy("COPY taken (members) FROM STDIN (FORMAT binary)") as copy:
            copy.write(rows([*(start(1) + one for one in arrays(of_them, 3)), start(1) + NO_UUIDS]))
        cursor.execute("SELECT members, array_lower(members, 1) FROM taken ORDER BY place")
        *taken, nobody = cursor.fetchall()
        cursor.execute("DROP TABLE taken")
    assert nobody == ([], None)
    assert [(len(one), first) for one, first in taken] == [(size, 1) for size in expected]
    assert [guid for one, _ in taken for guid in one] == guids


def test_a_group_has_as_many_sets_as_it_needs() -> None:
    bench = Bench.set_up()
    everybody = people(range(MANY))
    merge(bench, group("team", everybody, TEAM))
    assert sizes() == [member_sets.SET_SIZE, member_sets.SET_SIZE, 1]
    assert members() == everybody


def test_who_is_told_again_is_in_one_set_and_marks_nothing() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people(range(3)), TEAM))
    merge(bench, told(people(range(1, 5)), []))
    assert (sizes(), members(), is_marked()) == ([3, 2], people(range(5)), True)
    merge(bench, told(people(range(1, 5)), []))
    assert (sizes(), members(), is_marked()) == ([3, 2], people(range(5)), False)


def test_many_who_come_later_are_sets_of_their_own() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people([0]), TEAM))
    merge(bench, told(people(range(MANY)), []))
    assert sizes() == [1, member_sets.SET_SIZE, member_sets.SET_SIZE]
    assert members() == people(range(MANY))


def test_a_set_that_loses_everybody_is_gone() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people(range(3)), TEAM))
    merge(bench, told(people([3]), []))
    merge(bench, told([], people([0, 2])))
    assert (sizes(), members(), is_marked()) == ([1, 1], people([1, 3]), True)
    merge(bench, told([], people([1])))
    assert (sizes(), members()) == ([1], people([3]))
    merge(bench, told([], people([1, 7])))
    assert (sizes(), is_marked()) == ([1], False)


def test_who_leaves_and_comes_on_one_page_is_a_member() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people([0, 1]), TEAM))
    merge(bench, told(people([1, 2]), people([1])))
    assert (members(), is_marked()) == (people([0, 1, 2]), True)


def test_a_group_that_is_told_whole_keeps_whom_it_had() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people(range(3)), TEAM))
    merge(bench, group("team", people(range(3)), TEAM))
    assert (sizes(), is_marked()) == ([3], False)
    merge(bench, group("team", people(range(1, 5)), TEAM))
    assert (sizes(), members(), is_marked()) == ([2, 2], people(range(1, 5)), True)
    merge(bench, group("team", [], TEAM))
    assert (sizes(), is_marked()) == ([], True)


def test_only_groups_that_changed_are_marked() -> None:
    bench = Bench.set_up()
    other = UUID(int=2)
    merge(bench, group("team", people([0]), TEAM), group("other", people([0]), other))
    merge(bench, told(people([0]), []), membership_change(group("other", [], other), people([1]), []))
    assert not is_marked()
    assert SourceObject.objects.get(guid=other).members_dirty


def test_who_was_derived_and_is_told_of_is_in_one_set() -> None:
    bench = Bench.set_up()
    merge(bench, group("team", people([0]), TEAM))
    team = SourceObject.objects.get(guid=TEAM)
    SourceMemberSet.objects.create(group=team, is_primary=True, members=people([1, 2]))
    merge(bench, told(people([1]), []))
    found = dict(SourceMember.objects.values_list("member_guid", "is_primary"))
    assert found == dict(zip(people([0, 1, 2]), (False, False, True), strict=True))
    assert len(members()) == 3
    assert is_marked()


def test_who_changes_the_members_of_a_group_holds_it() -> None:
    bench = Bench.set_up()
    merge(bench, user("ada"), group("team", people([0]), TEAM))
    team = SourceObject.objects.get(guid=TEAM)
    with transaction.atomic(), connection.cursor() as cursor, closing(connection.copy()) as another:
        assert member_sets.hold(cursor, [team.pk, 0]) == [team.pk]
        with another.cursor() as other, pytest.raises(OperationalError, match="could not obtain lock"):
            other.execute(
                "SELECT id FROM provisioning_sourceobject WHERE id = %s FOR NO KEY UPDATE NOWAIT", [team.pk]
            )

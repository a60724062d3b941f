"""Memberships that we wrote are kept as sets: each once, in sets that are not too big, none of them empty."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from provisioning.models import LinkMember, LinkMemberSet
from provisioning.store import written_members
from provisioning.store.member_sets import SET_SIZE

pytestmark = pytest.mark.django_db(transaction=True)

PAIRS = "SELECT %(group)s::bigint AS group_id, unnest(%(members)s::bigint[]) AS member_id"


def add(group: int, *members: int) -> None:
    with connection.cursor() as cursor:
        written_members.add(cursor, PAIRS, {"group": group, "members": list(members)})


def remove(group: int, *members: int) -> None:
    with connection.cursor() as cursor:
        written_members.remove(cursor, PAIRS, {"group": group, "members": list(members)})


def members_of(group: int) -> list[int]:
    return sorted(LinkMember.objects.filter(group_id=group).values_list("member_id", flat=True))


def sets_of(group: int) -> list[list[int]]:
    return sorted(LinkMemberSet.objects.filter(group_id=group).values_list("members", flat=True))


def test_what_is_there_is_not_added_again() -> None:
    add(1, 10, 11, 11)
    add(1, 11, 12)
    add(2, 11)
    assert sets_of(1) == [[10, 11], [12]]
    assert members_of(2) == [11]


def test_a_big_group_has_several_sets() -> None:
    add(1, *range(2 * SET_SIZE + 1))
    assert sorted(map(len, sets_of(1))) == [1, SET_SIZE, SET_SIZE]
    assert members_of(1) == list(range(2 * SET_SIZE + 1))


def test_what_is_removed_leaves_no_empty_set() -> None:
    add(1, 10, 11)
    add(1, 12)
    remove(1, 11, 12, 13)
    remove(2, 10)
    assert sets_of(1) == [[10]]


def test_who_is_forgotten_is_in_no_group_and_has_no_members() -> None:
    add(1, 10, 11)
    add(2, 10)
    add(10, 12)
    add(11, 12)
    with connection.cursor() as cursor:
        written_members.forget(cursor, [10])
    assert set(LinkMember.objects.values_list("group_id", "member_id")) == {(1, 11), (11, 12)}
    assert LinkMemberSet.objects.count() == 2


def test_many_are_forgotten_at_once() -> None:
    add(1, *range(1_000, 1_300))
    add(2, *range(1_200, 1_500))
    with connection.cursor() as cursor:
        written_members.forget(cursor, range(1_050, 1_500))
    assert (members_of(1), members_of(2)) == (list(range(1_000, 1_050)), [])


def test_two_writers_of_one_set_lose_nothing() -> None:
    members = range(SET_SIZE)
    add(1, *members)
    add(2, *members)
    ready = Barrier(2)

    def take(mine: range) -> None:
        with transaction.atomic():
            ready.wait(10)
            for one in mine:
                remove(1, one)
                remove(2, one)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(take, (range(0, 40, 2), range(1, 40, 2))))
    assert members_of(1) == members_of(2) == list(range(40, SET_SIZE))

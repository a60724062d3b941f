"""Memberships in sets: whoever adds or takes out, a member is in a group once, and no set is empty or too big."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Thread
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory.models import Group, MemberSet, Membership
from directory.models.membership import SET_SIZE, MemberKind
from directory.services import objects, relations
from directory.services.rows import MembershipWrite, ObjectWrite, Verb
from directory.services.statements import ASKED_AT_ONCE
from directory.tests import memberships

NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS filled_here (group_id uuid, member_kind smallint, member_ids uuid[]) ON COMMIT DROP
"""


def group() -> UUID:
    return Group.objects.create(attributes={}, created_at=NOW, updated_at=NOW).pk


def fill(*rows: tuple[UUID, MemberKind, list[UUID]]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        cursor.executemany("INSERT INTO filled_here VALUES (%s, %s, %s)", rows)
        relations.fill_groups_of("filled_here")
        cursor.execute("DROP TABLE filled_here")


def change(*writes: tuple[bool, UUID, UUID]) -> None:
    with transaction.atomic():
        relations.change_members([MembershipWrite(0, *one, MemberKind.USER) for one in writes])


def delete(kind: MemberKind, *ids: UUID) -> None:
    objects.write(kind, [ObjectWrite(key, Verb.DELETE, one, None, "{}") for key, one in enumerate(ids)], NOW)


def members(of: UUID) -> Counter[UUID]:
    return Counter(Membership.objects.filter(group_id=of).values_list("member_id", flat=True))


def sizes(of: UUID) -> list[int]:
    return sorted(len(one.members) for one in MemberSet.objects.filter(group_id=of))


def once(ids: Iterable[UUID]) -> Counter[UUID]:
    return Counter(set(ids))


@pytest.mark.django_db
def test_many_members_make_sets_of_a_thousand_and_one_that_leaves_shortens_one() -> None:
    team, people = group(), [uuid4() for _ in range(2 * SET_SIZE + 3)]
    memberships.join(team, *people)
    assert sizes(team) == [3, SET_SIZE, SET_SIZE]
    memberships.leave(team, people[0])
    assert members(team) == once(people[1:])
    assert sum(sizes(team)) == len(people) - 1


@pytest.mark.django_db
def test_members_of_another_kind_are_in_a_set_of_their_own() -> None:
    team, ada, club = group(), uuid4(), uuid4()
    memberships.join(team, ada)
    memberships.join(team, club, kind=MemberKind.GROUP)
    rows = Membership.objects.filter(group_id=team).values_list("member_id", "member_kind")
    assert set(rows) == {(ada, MemberKind.USER), (club, MemberKind.GROUP)}


@pytest.mark.django_db
def test_who_is_there_is_not_added_again_and_lies_where_it_lay() -> None:
    team, ada, bob = group(), uuid4(), uuid4()
    memberships.join(team, ada)
    first = MemberSet.objects.get()
    change((True, team, ada), (True, team, bob), (True, team, bob))
    assert members(team) == once([ada, bob])
    assert MemberSet.objects.get(pk=first.pk).members == [ada]
    change((True, team, ada), (False, team, uuid4()))
    assert sizes(team) == [1, 1]


@pytest.mark.django_db
def test_what_is_removed_and_added_at_once_is_there() -> None:
    team, ada = group(), uuid4()
    memberships.join(team, ada)
    change((True, team, ada), (False, team, ada))
    assert members(team) == once([ada])


@pytest.mark.django_db
def test_a_set_that_becomes_empty_goes() -> None:
    team, other, ada = group(), group(), uuid4()
    memberships.join(team, ada)
    memberships.join(other, ada)
    memberships.leave(team, ada)
    assert [one.group_id for one in MemberSet.objects.all()] == [other]


@pytest.mark.django_db
def test_who_is_deleted_leaves_every_group_and_a_group_lets_go_of_its_members() -> None:
    team, parent, people = group(), group(), [uuid4() for _ in range(4)]
    memberships.join(team, *people)
    memberships.join(parent, people[0])
    memberships.join(parent, team, kind=MemberKind.GROUP)
    delete(MemberKind.USER, people[0], people[1])
    assert (members(team), members(parent)) == (once(people[2:]), once([team]))
    delete(MemberKind.GROUP, team)
    assert not MemberSet.objects.exists()


@pytest.mark.django_db
def test_many_are_deleted_at_once() -> None:
    teams, people = [group() for _ in range(3)], [uuid4() for _ in range(2 * ASKED_AT_ONCE + 5)]
    for team in teams:
        memberships.join(team, *people)
    delete(MemberKind.USER, *people[3:])
    assert [members(team) for team in teams] == [once(people[:3])] * 3
    delete(MemberKind.USER, *people[:3])
    assert not MemberSet.objects.exists()


@pytest.mark.django_db
def test_groups_without_members_get_their_sets_as_they_are() -> None:
    team, club, people = group(), group(), [uuid4() for _ in range(5)]
    fill(
        (team, MemberKind.USER, people[:2]),
        (team, MemberKind.USER, people[2:]),
        (club, MemberKind.GROUP, [team]),
    )
    assert (sizes(team), members(team), members(club)) == ([2, 3], once(people), once([team]))


@pytest.mark.django_db
def test_a_group_with_members_gets_those_that_it_lacks() -> None:
    team, club, people = group(), group(), [uuid4() for _ in range(5)]
    memberships.join(team, *people[:3])
    fill(
        (team, MemberKind.USER, people[:2]),
        (team, MemberKind.USER, people[2:]),
        (club, MemberKind.USER, people),
    )
    assert (members(team), members(club)) == (once(people), once(people))
    fill((team, MemberKind.USER, people))
    assert members(team) == once(people)


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_of_a_group_the_second_sees_what_the_first_did() -> None:
    team, ada, bob = group(), uuid4(), uuid4()

    def second() -> None:
        memberships.join(team, ada, bob)
        connection.close()

    waiting = Thread(target=second)
    with transaction.atomic():
        memberships.join(team, ada)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join()
    assert members(team) == once([ada, bob])


_PEOPLE = [UUID(int=number) for number in range(1, 7)]
_WRITES = st.lists(
    st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.sampled_from(_PEOPLE)), min_size=1, max_size=8)
    | st.sampled_from(_PEOPLE),
    max_size=6,
)


@pytest.mark.django_db
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=_WRITES)
def test_sets_hold_what_rows_would(writes: list[list[tuple[bool, int, UUID]] | UUID]) -> None:
    groups, held = [group(), group()], set[tuple[int, UUID]]()
    for one in writes:
        if isinstance(one, UUID):
            delete(MemberKind.USER, one)
            held = {pair for pair in held if pair[1] != one}
            continue
        change(*((is_addition, groups[place], member) for is_addition, place, member in one))
        held -= {(place, member) for is_addition, place, member in one if not is_addition}
        held |= {(place, member) for is_addition, place, member in one if is_addition}
    for place, made in enumerate(groups):
        assert members(made) == once(member for where, member in held if where == place)
        assert 0 not in sizes(made)

"""Scope by group against a real domain controller: members in and out, nested, whatever the way."""

from __future__ import annotations

import uuid

import pytest

from lab import changes
from lab.agent.playground import Playground
from lab.agent.reading import Answer
from provisioning_agent.ldap.errors import DirectoryError

pytestmark = pytest.mark.forest


class Club:
    """A scoping group with a nested one, a member in each, and a user outside."""

    def __init__(self, ground: Playground) -> None:
        admin, dn = ground.admin, ground.dn
        self.ground = ground
        self.outsider = changes.add_user(admin, dn, "Out, Sider", "outsider")
        self.direct = changes.add_user(admin, dn, "Direct", "direct")
        self.deep = changes.add_user(admin, dn, "Deep (ä)", "deepmember")
        self.inner = changes.add_group(admin, dn, "Inner", "innergroup", [self.deep])
        self.root = changes.add_group(admin, dn, "Scope", "scopegroup", [self.direct, self.inner])
        self.group = ground.guid_of(self.root)

    def read(self, containers: list[str] | None = None) -> Answer:
        return self.ground.read(containers, groups=[self.group])

    def left(self, answer: Answer) -> dict[str, str]:
        """Tombstones but for the scoping group's own: it changed, and is itself no member."""
        return {guid: kind for guid, kind in answer.tombstones().items() if guid != self.group}

    def guids(self, *dns: str) -> set[str]:
        return set(map(self.ground.guid_of, dns))


@pytest.fixture
def club(ground: Playground) -> Club:
    return Club(ground)


def test_an_initial_read_brings_the_members_nested_ones_included(club: Club) -> None:
    answer = club.read([])
    assert answer.mode == "initial"
    assert set(answer.objects()) == club.guids(club.direct, club.deep, club.inner)
    assert answer.members(club.ground.guid_of(club.inner)) == (True, club.guids(club.deep), set())


def test_groups_in_a_circle_are_walked_once(club: Club) -> None:
    changes.add_members(club.ground.admin, club.inner, club.root)
    assert set(club.read().objects()) == club.guids(club.direct, club.deep, club.inner, club.root)
    assert club.read().resources == []


def test_containers_and_groups_both_have_to_hold(club: Club) -> None:
    unit = changes.add_unit(club.ground.admin, club.ground.dn, "Unit")
    inside = changes.add_user(club.ground.admin, unit, "Inside", "insideunit")
    changes.add_members(club.ground.admin, club.root, inside)
    scope = [club.ground.guid_of(unit)]
    assert set(club.read(scope).objects()) == club.guids(inside)
    moved = changes.move(club.ground.admin, club.direct, unit)
    assert set(club.read(scope).objects()) == club.guids(moved)


def test_a_new_member_enters_whole_and_a_removed_one_leaves(club: Club) -> None:
    club.read()
    changes.add_members(club.ground.admin, club.root, club.outsider)
    changes.remove_members(club.ground.admin, club.root, club.direct)
    answer = club.read()
    assert answer.mode == "delta"
    (guid,) = club.guids(club.outsider)
    assert answer.objects()[guid]["displayName"] == "Out, Sider"
    assert set(answer.objects()) == {guid}
    assert club.left(answer) == dict.fromkeys(club.guids(club.direct), "outOfScope")
    assert club.read().resources == []


def test_a_change_in_a_nested_group_enters_and_leaves_too(club: Club) -> None:
    club.read()
    changes.add_members(club.ground.admin, club.inner, club.outsider)
    changes.remove_members(club.ground.admin, club.inner, club.deep)
    answer = club.read()
    assert set(answer.objects()) == club.guids(club.outsider, club.inner)
    assert answer.members(club.ground.guid_of(club.inner)) == (
        False,
        club.guids(club.outsider),
        club.guids(club.deep),
    )
    assert answer.tombstones() == dict.fromkeys(club.guids(club.deep), "outOfScope")


def test_a_nested_group_takes_everybody_in_it_along(club: Club) -> None:
    club.read()
    changes.remove_members(club.ground.admin, club.root, club.inner)
    assert club.left(club.read()) == dict.fromkeys(club.guids(club.inner, club.deep), "outOfScope")
    changes.add_members(club.ground.admin, club.root, club.inner)
    answer = club.read()
    assert (answer.mode, set(answer.objects())) == ("delta", club.guids(club.inner, club.deep))
    assert answer.members(club.ground.guid_of(club.inner)) == (True, club.guids(club.deep), set())


def test_who_is_a_member_another_way_stays(club: Club) -> None:
    changes.add_members(club.ground.admin, club.root, club.deep)
    club.read()
    changes.remove_members(club.ground.admin, club.inner, club.deep)
    answer = club.read()
    assert answer.tombstones() == {}
    assert set(answer.objects()) == club.guids(club.inner)


def test_a_nest_that_came_and_went_does_not_hide_an_entry(club: Club) -> None:
    other = changes.add_group(club.ground.admin, club.ground.dn, "Other", "othergroup", [club.outsider])
    club.read()
    changes.add_members(club.ground.admin, club.root, other)
    changes.remove_members(club.ground.admin, club.root, other)
    changes.add_members(club.ground.admin, club.root, club.outsider)
    assert set(club.read().objects()) == club.guids(club.outsider)


def test_changes_of_members_arrive_and_those_of_others_do_not(club: Club) -> None:
    club.read()
    for dn in (club.deep, club.outsider):
        changes.set_attribute(club.ground.admin, dn, "title", "New")
    answer = club.read()
    assert {guid: found["title"] for guid, found in answer.objects().items()} == {
        club.ground.guid_of(club.deep): "New"
    }


def test_a_deleted_nested_group_is_answered_from_the_start(club: Club) -> None:
    club.read()
    changes.delete(club.ground.admin, club.inner)
    answer = club.read()
    # Who was in it can not be asked any more; a complete read names all who stay, the rest is gone.
    assert (answer.mode, set(answer.objects())) == ("initial", club.guids(club.direct))
    assert club.read().mode == "delta"


def test_a_deleted_member_is_a_tombstone(club: Club) -> None:
    guids = club.guids(club.deep)
    club.read()
    changes.delete(club.ground.admin, club.deep)
    answer = club.read()
    assert (answer.mode, club.left(answer)) == ("delta", dict.fromkeys(guids, "deleted"))


def test_a_scoping_group_that_is_gone_is_a_failure_and_not_an_empty_domain(club: Club) -> None:
    club.read()
    changes.delete(club.ground.admin, club.root)
    with pytest.raises(DirectoryError) as caught:
        club.read()
    assert (caught.value.code, caught.value.retry) == ("ScopeGroupMissing", False)


def test_what_is_no_group_can_not_be_the_scope(club: Club) -> None:
    for guid in (str(uuid.uuid4()), club.ground.guid_of(club.direct)):
        with pytest.raises(DirectoryError) as caught:
            club.ground.read(groups=[guid])
        assert caught.value.code == "ScopeGroupMissing"


def test_a_renamed_or_moved_scoping_group_stays_the_scope(club: Club) -> None:
    club.read()
    unit = changes.add_unit(club.ground.admin, club.ground.dn, "Elsewhere")
    club.root = changes.move(club.ground.admin, club.root, unit)
    club.root = changes.rename(club.ground.admin, club.root, "Renamed")
    changes.add_members(club.ground.admin, club.root, club.outsider)
    answer = club.read()
    assert (answer.mode, set(answer.objects())) == ("delta", club.guids(club.outsider))

"""Groups within groups: kept as members, or flattened to the accounts and contacts in them, however deep."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from directory.models import Contact, Group, Membership, User
from provisioning.models import Configuration, NestedGroups
from provisioning.tests.answering import (
    Bench,
    Resource,
    group,
    guid_of,
    membership_change,
    tombstone,
    user,
)
from provisioning.tests.test_object_flow_types import let_flow

pytestmark = pytest.mark.django_db(transaction=True)


def set_up(way: NestedGroups = NestedGroups.FLATTEN) -> Bench:
    """A configuration that treats nested groups in this way."""
    return Bench.set_up(nested_groups=way)


def switch(bench: Bench, way: NestedGroups) -> None:
    """Turn the switch of a configuration that runs."""
    Configuration.objects.filter(pk=bench.configuration.pk).update(nested_groups=way)


def members_of(name: str) -> set[str]:
    """Names of a group's direct members in the directory, of whatever kind."""
    ids = list(Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True))
    found = [model.objects.filter(pk__in=ids) for model in (User, Group, Contact)]
    return {str(one.display_name) for rows in found for one in rows}


def holding(name: str, *members: Resource | UUID) -> Resource:
    """A group with these members."""
    return group(name, [one if isinstance(one, UUID) else guid_of(one) for one in members])


def chain() -> tuple[Resource, Resource, Resource, Resource, Resource]:
    """ada in the inner group, bob in the middle one that holds it, nobody else in the outer one."""
    ada, bob = user("ada"), user("bob")
    inner = holding("inner", ada)
    middle = holding("middle", bob, inner)
    return ada, bob, inner, middle, holding("outer", middle)


def test_kept_a_group_is_a_member_like_any_other() -> None:
    bench = set_up(NestedGroups.KEEP)
    bench.cycle(list(chain()))
    assert (members_of("outer"), members_of("middle")) == ({"middle"}, {"bob", "inner"})


def test_flattened_a_group_has_everybody_below_it_and_no_group() -> None:
    bench = set_up()
    everyone = list(chain())
    bench.cycle(everyone)
    assert members_of("outer") == members_of("middle") == {"ada", "bob"}
    assert members_of("inner") == {"ada"}
    assert bench.cycle(everyone, mode="initial").count_planned == 0


def test_what_comes_and_goes_far_below_comes_and_goes_above() -> None:
    bench = set_up()
    ada, _bob, inner, middle, outer = chain()
    bench.cycle([ada, _bob, inner, middle, outer])
    eve = user("eve")
    cycle = bench.cycle([eve, membership_change(inner, [guid_of(eve)])])
    assert members_of("outer") == members_of("middle") == {"ada", "bob", "eve"}
    assert cycle.count_planned == 1 + 3

    cycle = bench.cycle([membership_change(inner, removed=[guid_of(ada)])])
    assert members_of("outer") == members_of("middle") == {"bob", "eve"}
    assert cycle.count_planned == 3

    bench.cycle([membership_change(outer, removed=[guid_of(middle)])])
    assert (members_of("outer"), members_of("middle")) == (set(), {"bob", "eve"})


def test_groups_that_hold_one_another_end() -> None:
    bench = set_up()
    ada, bob, eve = user("ada"), user("bob"), user("eve")
    red, blue, green = uuid4(), uuid4(), uuid4()
    ring = [
        group("red", [guid_of(ada), blue], red),
        group("blue", [guid_of(bob), green], blue),
        group("green", [guid_of(eve), red, green], green),
    ]
    bench.cycle([ada, bob, eve, *ring])
    for name in ("red", "blue", "green"):
        assert members_of(name) == {"ada", "bob", "eve"}
    bench.cycle([membership_change(ring[2], removed=[red])])
    assert (members_of("red"), members_of("green")) == ({"ada", "bob", "eve"}, {"eve"})


def test_one_who_is_in_by_two_ways_stays_when_one_of_them_ends() -> None:
    bench = set_up()
    ada = user("ada")
    left, right = holding("left", ada), holding("right", ada)
    bench.cycle([ada, left, right, holding("top", left, right)])
    assert Membership.objects.filter(group__display_name="top").count() == 1
    bench.cycle([membership_change(left, removed=[guid_of(ada)])])
    assert members_of("top") == {"ada"}
    bench.cycle([membership_change(right, removed=[guid_of(ada)])])
    assert members_of("top") == set()


def test_a_nested_group_that_goes_takes_its_people_along_and_brings_them_back() -> None:
    bench = set_up()
    ada, bob, inner, middle, outer = chain()
    bench.cycle([ada, bob, inner, middle, outer])
    bench.cycle([tombstone(inner, "outOfScope")])
    assert members_of("outer") == {"bob"}
    bench.cycle([inner])
    assert members_of("outer") == {"ada", "bob"}


@pytest.mark.parametrize("flows", ["Add, Update, Delete", "Update, Delete"])
def test_a_group_that_a_full_read_tells_of_first_brings_its_people_though_it_may_not_be_created(
    flows: str,
) -> None:
    bench = set_up()
    ada = user("ada")
    inner = holding("inner", ada)
    outer = holding("outer", inner)
    bench.cycle([ada, outer])
    let_flow(bench, flows, ("group",))
    bench.cycle([ada, outer, inner], mode="initial")
    assert members_of("outer") == {"ada"}
    assert Group.objects.filter(display_name="inner").exists() == ("Add" in flows)


def test_the_switch_rewrites_what_is_there_by_additions_and_removals() -> None:
    bench = set_up(NestedGroups.KEEP)
    bench.cycle(list(chain()))
    switch(bench, NestedGroups.FLATTEN)
    bench.cycle([])
    assert members_of("outer") == members_of("middle") == {"ada", "bob"}
    assert bench.cycle([]).count_planned == 0
    switch(bench, NestedGroups.KEEP)
    bench.cycle([])
    assert (members_of("outer"), members_of("middle")) == ({"middle"}, {"bob", "inner"})


def test_a_change_touches_no_group_beside_it() -> None:
    bench = set_up()
    ada, bob, inner, middle, outer = chain()
    eve = user("eve")
    aside = holding("aside", eve)
    bench.cycle([ada, bob, eve, inner, middle, outer, aside])
    cycle = bench.cycle([membership_change(inner, [guid_of(eve)])])
    assert cycle.count_planned == 3
    assert members_of("aside") == {"eve"}

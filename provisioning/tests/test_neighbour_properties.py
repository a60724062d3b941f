"""Whatever two domains hold of each other, whichever is read first: the groups end up with whom they should have."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory.models import Group, Membership, User
from provisioning.models import Arrival, NestedGroups
from provisioning.tests import states
from provisioning.tests.answering import Bench, Resource, changed, group, tombstone, user
from provisioning.tests.test_neighbours import another, cycle
from provisioning_agent.wire.sids import from_text

pytestmark = pytest.mark.django_db(transaction=True)
FEW = settings(
    max_examples=4,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

# In which of the two domains each of them is.
HOMES = {"ada": 0, "zoe": 1, "red": 0, "green": 0, "blue": 1, "pink": 1}
GROUPS = ("red", "green", "blue", "pink")
NUMBERS = {name: number for number, name in enumerate(HOMES, start=1)}

State = Mapping[str, frozenset[str]]
"""Who is there, each with the names of its members; those may be missing."""

MEMBERS = st.frozensets(st.sampled_from(list(HOMES)), max_size=4)
STATES: st.SearchStrategy[State] = st.fixed_dictionaries(
    {},
    optional={name: MEMBERS if name in GROUPS else st.just(frozenset[str]()) for name in HOMES},
)


def sid_of(name: str) -> str:
    """Of a domain of its own for each of the two."""
    return f"S-1-5-21-1-1-{HOMES[name] + 1}-{1100 + NUMBERS[name]}"


def told(before: State, after: State, home: int, *, is_foreign: bool) -> Iterator[Resource]:
    """What a domain tells of itself: everybody there, and who has gone."""
    for name in HOMES:
        if HOMES[name] == home and name in after:
            yield resource(name, after[name], is_foreign=is_foreign)
        elif HOMES[name] == home and name in before:
            yield tombstone(resource(name, frozenset(), is_foreign=False))


def resource(name: str, members: frozenset[str], *, is_foreign: bool) -> Resource:
    """One of them; members of the other domain are in it by a principal where the forests differ."""
    guid = UUID(int=NUMBERS[name])
    if name not in GROUPS:
        one = user(name, guid)
    else:
        abroad = {one for one in members if is_foreign and HOMES[one] != HOMES[name]}
        # The principals of a domain are objects of its own.
        guids = {one: UUID(int=NUMBERS[one] + 100 * (one in abroad)) for one in sorted(members)}
        one = group(name, list(guids.values()), guid)
        one["members"]["foreign"] = {str(guids[name]): sid_of(name) for name in abroad}
    return changed(one, objectSid=b64encode(from_text(sid_of(name))).decode())


def wanted(state: State, ways: tuple[NestedGroups, NestedGroups]) -> dict[str, set[str]]:
    """The members that each group should have."""
    return {
        name: flattened(state, name)
        if ways[HOMES[name]] == NestedGroups.FLATTEN
        else set(state[name] & state.keys())
        for name in GROUPS
        if name in state
    }


def flattened(state: State, name: str) -> set[str]:
    """Everybody below a group who is none."""
    reached, waiting = {name}, [name]
    while waiting:
        new = (state[waiting.pop()] & state.keys()) - reached
        reached |= new
        waiting += [one for one in new if one in GROUPS]
    return {one for one in reached if one not in GROUPS}


def held() -> dict[str, set[str]]:
    """The members that the target's groups have."""
    names = {one.pk: str(one.display_name) for one in User.objects.filter(deleted_at__isnull=True)}
    groups = {one.pk: str(one.display_name) for one in Group.objects.filter(deleted_at__isnull=True)}
    names |= groups
    found: dict[str, set[str]] = {name: set() for name in groups.values()}
    for group_id, member_id in Membership.objects.values_list("group_id", "member_id"):
        found[groups[group_id]].add(names[member_id])
    return found


@FEW
@given(
    history=st.lists(st.tuples(STATES, st.booleans()), min_size=2, max_size=3),
    ways=st.tuples(st.sampled_from(NestedGroups), st.sampled_from(NestedGroups)),
    is_foreign=st.booleans(),
)
def test_both_domains_come_to_rest_with_whom_they_should_have(
    history: list[tuple[State, bool]], ways: tuple[NestedGroups, NestedGroups], is_foreign: bool
) -> None:
    states.empty_the_database()
    main = Bench.set_up(nested_groups=ways[0], delete_threshold=1_000)
    other = another("other", forest="other.example" if is_foreign else "corp.example")
    other.configuration.nested_groups = ways[1]
    other.configuration.save()
    before: State = {}
    for state, other_first in history:
        order = [(other, 1), (main, 0)] if other_first else [(main, 0), (other, 1)]
        for bench, home in order:
            cycle(bench, *told(before, state, home, is_foreign=is_foreign))
        for bench, _ in order:
            cycle(bench)
        assert held() == wanted(state, ways)
        assert [bench.cycle([]).count_planned for bench in (main, other)] == [0, 0]
        assert not Arrival.objects.exists()
        before = state

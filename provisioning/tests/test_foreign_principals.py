"""Members from other forests: foreign security principals, found by SID wherever that is connected."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from rest_framework.test import APIClient

from agents.models import Domain
from directory.models import Group, Membership, User
from provisioning.models import Arrival, ForeignPrincipal, NestedGroups
from provisioning.tests.answering import (
    Bench,
    Resource,
    changed,
    group,
    guid_of,
    membership_change,
    tombstone,
    user,
)
from provisioning.tests.test_neighbours import another, cycle
from provisioning_agent.wire.sids import from_text

pytestmark = pytest.mark.django_db(transaction=True)

ZOE = "S-1-5-21-7-8-9-1104"
EVE = "S-1-5-21-7-8-9-1106"
CREW = "S-1-5-21-7-8-9-1105"
AUTHENTICATED_USERS = "S-1-5-11"


@pytest.fixture
def main() -> Bench:
    """The forest whose groups hold people of another."""
    return Bench.set_up()


def members_of(name: str) -> set[str]:
    """Names of a group's members in the directory."""
    ids = list(Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True))
    found = [model.objects.filter(pk__in=ids) for model in (User, Group)]
    return {str(one.display_name) for rows in found for one in rows}


def with_sid(resource: Resource, sid: str) -> Resource:
    """The same object with this SID."""
    return changed(resource, objectSid=b64encode(from_text(sid)).decode())


def standing_for(resource: Resource, *principals: tuple[UUID, str]) -> Resource:
    """A group, or a change of one, with principals added to those it has."""
    members = resource["members"]
    added = [*members["added"], *(str(guid) for guid, _ in principals)]
    foreign = {str(guid): sid for guid, sid in principals}
    return {**resource, "members": {**members, "added": added, "foreign": foreign}}


def abroad(name: str = "far", **further: str) -> Bench:
    """A domain of another forest, to the same target."""
    return another(name, forest=f"{name}.example", **further)


def team(members: Sequence[UUID] = (), *principals: tuple[UUID, str]) -> Resource:
    """A group with members of both kinds."""
    return standing_for(group("team", list(members)), *principals)


def test_one_of_another_forest_is_a_member_whichever_forest_is_read_first(main: Bench) -> None:
    far = abroad()
    ada, zoe = user("ada"), with_sid(user("zoe"), ZOE)
    principal = uuid4(), ZOE
    cycle(main, ada, guests := team([guid_of(ada)], principal, (uuid4(), AUTHENTICATED_USERS)))
    assert members_of("team") == {"ada"}
    cycle(far, zoe)
    cycle(main)
    assert members_of("team") == {"ada", "zoe"}
    assert not Arrival.objects.exists()

    cycle(main, standing_for(group("later", []), (principal[0], ZOE)))
    assert members_of("later") == {"zoe"}
    cycle(main, membership_change(guests, removed=[principal[0]]))
    assert members_of("team") == {"ada"}


def test_one_who_goes_and_returns_is_a_member_again(main: Bench) -> None:
    far = abroad()
    zoe = with_sid(user("zoe"), ZOE)
    cycle(far, zoe)
    cycle(main, team([], (uuid4(), ZOE)))
    assert members_of("team") == {"zoe"}
    cycle(far, tombstone(zoe))
    assert members_of("team") == set()
    cycle(far, zoe)
    cycle(main)
    assert members_of("team") == {"zoe"}


def test_one_whose_sid_is_told_later_is_linked_then(main: Bench) -> None:
    far = abroad()
    cycle(far, with_sid(user("zoe"), ZOE))
    guests = team([principal := uuid4()])
    cycle(main, guests)
    assert members_of("team") == set()
    told = {**guests, "members": {**guests["members"], "foreign": {str(principal): ZOE}}}
    cycle(main, told)
    assert members_of("team") == {"zoe"}


def test_whoever_has_a_well_known_sid_is_nobody_in_particular(main: Bench) -> None:
    far = abroad()
    cycle(far, with_sid(user("oddly named"), AUTHENTICATED_USERS))
    cycle(main, team([], (uuid4(), AUTHENTICATED_USERS)))
    assert members_of("team") == set()


def test_another_target_is_never_reached(main: Bench) -> None:
    far = abroad(target="Another directory")
    cycle(far, with_sid(user("zoe"), ZOE))
    cycle(main, team([], (uuid4(), ZOE)))
    cycle(main)
    assert members_of("team") == set()


def test_what_no_group_holds_any_more_is_forgotten_by_a_full_read(main: Bench) -> None:
    guests = team([], (uuid4(), ZOE))
    cycle(main, guests)
    assert ForeignPrincipal.objects.count() == 1
    cycle(main, membership_change(guests, removed=[UUID(guests["members"]["added"][0])]))
    main.cycle([team()], mode="initial")
    assert not ForeignPrincipal.objects.exists()


def test_a_group_of_another_forest_is_a_member_or_gives_its_own_by_the_same_switch(main: Bench) -> None:
    far = abroad()
    zoe, amy = with_sid(user("zoe"), ZOE), user("amy")
    crew = with_sid(group("crew", [guid_of(zoe)]), CREW)
    cycle(far, zoe, amy, crew)
    cycle(main, team([], (uuid4(), CREW)))
    assert members_of("team") == {"crew"}

    main.configuration.nested_groups = NestedGroups.FLATTEN
    main.configuration.save()
    cycle(main)
    assert members_of("team") == {"zoe"}
    cycle(far, membership_change(crew, [guid_of(amy)]))
    cycle(main)
    assert members_of("team") == {"amy", "zoe"}
    cycle(far, membership_change(crew, removed=[guid_of(zoe)]))
    cycle(main)
    assert members_of("team") == {"amy"}
    cycle(far, tombstone(crew))
    cycle(main)
    assert members_of("team") == set()
    assert main.cycle([]).count_planned == 0


def test_a_chain_of_groups_through_three_domains_is_flattened_to_its_end(main: Bench) -> None:
    main.configuration.nested_groups = NestedGroups.FLATTEN
    main.configuration.save()
    child, far = another("child"), abroad()
    zoe, amy = user("zoe"), user("amy")
    crew = with_sid(group("crew", [guid_of(zoe)]), CREW)
    between = standing_for(group("between", []), (uuid4(), CREW))
    cycle(main, group("top", [guid_of(between)]))
    cycle(child, between)
    cycle(far, zoe, crew)
    cycle(main)
    assert members_of("top") == {"zoe"}

    cycle(far, amy, membership_change(crew, [guid_of(amy)]))
    cycle(main)
    assert members_of("top") == {"amy", "zoe"}
    cycle(child, membership_change(between, removed=[UUID(between["members"]["added"][0])]))
    cycle(main)
    assert members_of("top") == set()
    for bench in (main, child, far):
        assert bench.cycle([]).count_planned == 0
    assert not Arrival.objects.exists()


def test_groups_that_hold_one_another_across_domains_come_to_rest(main: Bench) -> None:
    child = another("child")
    for bench in (main, child):
        bench.configuration.nested_groups = NestedGroups.FLATTEN
        bench.configuration.save()
    red, blue = uuid4(), uuid4()
    ada, zoe = user("ada"), user("zoe")
    cycle(main, ada, group("red", [guid_of(ada), blue], red))
    cycle(child, zoe, group("blue", [guid_of(zoe), red], blue))
    cycle(main)
    assert members_of("red") == members_of("blue") == {"ada", "zoe"}
    for bench in (main, child, main, child):
        cycle(bench)
    assert not Arrival.objects.exists()


def test_what_became_of_each_is_told(main: Bench, api: APIClient) -> None:
    far = abroad()
    # The domain's SID as agents tell it.
    Domain.objects.filter(fqdn="far.example").update(sid="S-1-5-21-7-8-9")
    eve = with_sid(user("eve"), EVE)
    cycle(far, with_sid(user("zoe"), ZOE), eve)
    cycle(far, tombstone(eve, "outOfScope"))
    sids = {
        ZOE: "Linked",
        EVE: "NotInTarget",
        "S-1-5-21-7-8-9-513": "NotRead",
        "S-1-5-21-4-4-4-1104": "NotConnected",
        AUTHENTICATED_USERS: "WellKnown",
    }
    cycle(main, guests := team([], *((uuid4(), one) for one in sids)))
    directory_id = Group.objects.get(display_name="team").pk
    told = api.get(f"/api/v1/directory/groups/{directory_id}/foreign-members/").json()["results"]
    assert {one["sid"]: one["standing"] for one in told} == sids
    names = {one["sid"]: one["name"] for one in told}
    assert names[AUTHENTICATED_USERS] == "Authenticated Users"
    assert names[ZOE].startswith("CN=zoe,")

    explained = api.get(
        f"/api/v1/configurations/{main.configuration.pk}/explain/", {"object": guests["id"]}
    ).json()["foreignMembers"]
    assert {one["sid"]: one["standing"] for one in explained} == sids

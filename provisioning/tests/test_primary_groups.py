"""Who has a group as primary group is its member, though no ``member`` value tells of it."""

from __future__ import annotations

from base64 import b64encode
from uuid import uuid4

import pytest
from django.utils import timezone

from directory.models import Group, Membership, User
from provisioning.engine.primary_groups import primary_group_sid
from provisioning.models import Arrival, SourceMember
from provisioning.services import configurations, jobs
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
from provisioning.tests.test_neighbours import cycle

pytestmark = pytest.mark.django_db(transaction=True)

STAFF, SALES, ADA = 1105, 1106, 1200
DOMAIN_USERS = 513


def sid(rid: int) -> str:
    """objectSid of an object of S-1-5-21-1-2-3, in base64."""
    parts = (21, 1, 2, 3, rid)
    head = b"\x01\x05" + (5).to_bytes(6, "big")
    return b64encode(head + b"".join(one.to_bytes(4, "little") for one in parts)).decode()


def ada(primary: int) -> Resource:
    """A user with this primary group."""
    return user("ada", ADA_GUID, objectSid=sid(ADA), primaryGroupID=primary)


ADA_GUID = uuid4()
STAFF_GROUP = changed(group("staff", []), objectSid=sid(STAFF))
SALES_GROUP = changed(group("sales", []), objectSid=sid(SALES))


def members_of(name: str) -> set[str]:
    """Names of a group's members in the directory."""
    ids = Membership.objects.filter(group__display_name=name).values_list("member_id", flat=True)
    return {str(one.display_name) for one in User.objects.filter(pk__in=ids)}


def test_the_sid_of_the_primary_group_is_that_of_the_account_with_another_rid() -> None:
    assert primary_group_sid({"objectSid": sid(ADA), "primaryGroupID": STAFF}) == sid(STAFF)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"objectSid": sid(ADA), "primaryGroupID": DOMAIN_USERS},
        {"primaryGroupID": STAFF},
        {"objectSid": "no base64", "primaryGroupID": STAFF},
        {"objectSid": "AQU=", "primaryGroupID": STAFF},
    ],
)
def test_there_is_none_where_it_can_not_be_in_scope_or_told(attributes: dict[str, object]) -> None:
    assert primary_group_sid(attributes) is None


def test_a_primary_group_counts_as_membership() -> None:
    bench = Bench.set_up()
    bench.cycle([ada(STAFF)], [STAFF_GROUP])
    assert members_of("staff") == {"ada"}
    assert bench.cycle([ada(STAFF), STAFF_GROUP], mode="initial").count_planned == 0


def test_another_primary_group_moves_the_membership() -> None:
    bench = Bench.set_up()
    bench.cycle([ada(STAFF), STAFF_GROUP, SALES_GROUP])
    # AD makes the old primary group an ordinary one, and takes the ordinary member out of the new one.
    told = membership_change(STAFF_GROUP, [ADA_GUID])
    bench.cycle([ada(SALES), told])
    assert (members_of("staff"), members_of("sales")) == ({"ada"}, {"ada"})
    assert SourceMember.objects.filter(group__dn__startswith="CN=staff", is_primary=False).count() == 1

    bench.cycle([membership_change(STAFF_GROUP, removed=[ADA_GUID])])
    assert (members_of("staff"), members_of("sales")) == (set(), {"ada"})

    cycle = bench.cycle([ada(DOMAIN_USERS)])
    assert (members_of("sales"), cycle.count_planned) == (set(), 1)


def test_a_member_that_becomes_one_by_primary_group_stays_a_member() -> None:
    bench = Bench.set_up()
    bench.cycle(
        [ada(DOMAIN_USERS), changed(group("staff", [ADA_GUID], guid_of(STAFF_GROUP)), objectSid=sid(STAFF))]
    )
    cycle = bench.cycle([ada(STAFF), membership_change(STAFF_GROUP, removed=[ADA_GUID])])
    assert (members_of("staff"), cycle.count_planned) == ({"ada"}, 0)


def test_a_group_that_enters_the_scope_later_has_them_too() -> None:
    bench = Bench.set_up()
    bench.cycle([ada(STAFF)])
    bench.cycle([STAFF_GROUP])
    assert members_of("staff") == {"ada"}
    bench.cycle([tombstone(STAFF_GROUP)])
    bench.cycle([STAFF_GROUP])
    assert members_of("staff") == {"ada"}


def test_an_account_that_leaves_and_returns_is_a_member_again() -> None:
    bench = Bench.set_up()
    bench.cycle([ada(STAFF), STAFF_GROUP])
    bench.cycle([tombstone(ada(STAFF))])
    assert Group.objects.filter(display_name="staff").exists()
    assert members_of("staff") == set()
    bench.cycle([ada(STAFF)])
    assert members_of("staff") == {"ada"}


def test_a_primary_group_out_of_scope_is_no_membership() -> None:
    bench = Bench.set_up()
    bench.cycle([ada(DOMAIN_USERS), STAFF_GROUP])
    assert not Membership.objects.exists()
    assert not SourceMember.objects.exists()


def beside(bench: Bench) -> Bench:
    """Another configuration of the same domain and target."""
    first = bench.configuration
    second = Bench(
        bench.agent, configurations.create(name="Beside", domain=first.domain, target=first.target)
    )
    jobs.start(second.job, timezone.now())
    return second


def test_a_primary_group_may_be_in_another_configuration_of_the_domain() -> None:
    people = Bench.set_up()
    groups = beside(people)
    cycle(people, ada(STAFF))
    cycle(groups, STAFF_GROUP, SALES_GROUP)
    assert members_of("staff") == {"ada"}

    cycle(people, ada(SALES))
    cycle(groups)
    assert (members_of("staff"), members_of("sales")) == (set(), {"ada"})
    assert groups.cycle([STAFF_GROUP, SALES_GROUP], mode="initial").count_planned == 0

    cycle(people, ada(STAFF))
    cycle(people, ada(DOMAIN_USERS))
    cycle(groups)
    assert (members_of("staff"), members_of("sales")) == (set(), set())
    assert not SourceMember.objects.exists()
    assert not Arrival.objects.exists()


def test_members_and_their_group_may_be_in_two_configurations_of_the_domain() -> None:
    people = Bench.set_up()
    groups = beside(people)
    cycle(groups, changed(group("staff", [ADA_GUID], guid_of(STAFF_GROUP)), objectSid=sid(STAFF)))
    cycle(people, ada(DOMAIN_USERS))
    cycle(groups)
    assert members_of("staff") == {"ada"}

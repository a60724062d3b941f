"""An account's primary group is a group it is a member of, as a real domain controller keeps it."""

from __future__ import annotations

from uuid import UUID

import pytest

from lab import changes
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

DOMAIN_USERS = "513"


def members_of(corp: Site, group: UUID) -> set[str]:
    """The names of a group's members in the cloud."""
    [found] = corp.client.all("directory/groups/", object_guid=str(group))
    return {one["display_name"] for one in corp.client.all(f"directory/groups/{found['id']}/members/")}


def test_who_has_it_as_primary_group_is_its_member(corp: Site) -> None:
    place = corp.company.department_dns[0]
    with corp.forest.connect() as connection:
        user = changes.add_user(connection, place, "Primary Person", "primary.person")
        group = changes.add_group(connection, place, "Primary Group", "primary-group", [user])
        changes.set_attribute(connection, user, "primaryGroupID", str(changes.rid_of(connection, group)))
        assert changes.read(connection, group, "member").get("member", []) == [], "the DC tells of it twice"
        guid = changes.object_guid(connection, group)
    assert corp.next_cycle()["count_failed"] == 0
    assert members_of(corp, guid) == {"Primary Person"}

    with corp.forest.connect() as connection:
        changes.set_attribute(connection, user, "primaryGroupID", DOMAIN_USERS)
        if changes.read(connection, group, "member").get("member"):
            changes.remove_members(connection, group, user)
    assert corp.next_cycle()["count_failed"] == 0
    assert members_of(corp, guid) == set()

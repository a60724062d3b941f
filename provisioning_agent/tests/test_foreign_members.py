"""Members from other forests, as a real domain controller keeps them: the agent tells their SIDs."""

from __future__ import annotations

import pytest

from lab import changes
from lab.agent.playground import Playground

pytestmark = pytest.mark.forest

STRANGER = "S-1-5-21-1004336348-1177238915-682003330-1104"
ANOTHER = "S-1-5-21-1004336348-1177238915-682003330-1105"
AUTHENTICATED_USERS = "S-1-5-11"


def test_the_sid_of_a_member_from_elsewhere_travels_in_full_reads_and_in_deltas(ground: Playground) -> None:
    ada = changes.add_user(ground.admin, ground.dn, "Ada", "ada.foreign")
    group = changes.add_domain_local_group(ground.admin, ground.dn, "Guests", "guests-local", [ada])
    changes.add_foreign_members(ground.admin, group, STRANGER, AUTHENTICATED_USERS)
    guid = ground.guid_of(group)
    answer = ground.read()
    whole, added, _ = answer.members(guid)
    told = answer.foreign(guid)
    assert sorted(told.values()) == sorted([STRANGER, AUTHENTICATED_USERS])
    assert (whole, added) == (True, {ground.guid_of(ada), *told})

    changes.add_foreign_members(ground.admin, group, ANOTHER)
    answer = ground.read()
    assert answer.mode == "delta"
    assert list(answer.foreign(guid).values()) == [ANOTHER]
    assert answer.members(guid) == (False, set(answer.foreign(guid)), set())

    changes.remove_members(ground.admin, group, ada)
    answer = ground.read()
    assert (answer.members(guid), answer.foreign(guid)) == ((False, set(), {ground.guid_of(ada)}), {})

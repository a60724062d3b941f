"""Names with every character a directory allows, in DNs, scopes and renames."""

from __future__ import annotations

import pytest

from lab import changes
from lab.agent.playground import Playground
from provisioning_agent.ldap.names import rdns

pytestmark = pytest.mark.forest

NAMES = (
    "Comma, Ada",
    "#1 Support",
    'Plus+Equals=Less<More>Semi;Quote"',
    "Back\\slash",
    " Leading and trailing ",
    "Wörk 日本 😀",
    "new\nline",
    "OU=Sales,DC=corp",
    "*(wild)",
    "x" * 64,
)


def test_odd_units_and_users_are_read_in_scope(ground: Playground) -> None:
    expected = {}
    for number, name in enumerate(NAMES):
        unit = changes.add_unit(ground.admin, ground.dn, name)
        dn = changes.add_user(ground.admin, unit, name, f"odd{number}")
        expected[ground.guid_of(dn)] = rdns(dn)
    found = ground.read().objects()
    assert {guid: rdns(item["distinguishedName"]) for guid, item in found.items()} == expected
    assert {item["displayName"] for item in found.values()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_an_odd_unit_is_a_scope_of_its_own(ground: Playground, name: str) -> None:
    unit = changes.add_unit(ground.admin, ground.dn, name)
    dn = changes.add_user(ground.admin, unit, name, "oddly")
    changes.add_user(ground.admin, ground.dn, "Neighbour", "neighbour")
    scope = [ground.guid_of(unit)]
    assert list(ground.read(scope).objects()) == [ground.guid_of(dn)]
    changes.set_attribute(ground.admin, dn, "title", "changed")
    answer = ground.read(scope)
    assert (answer.mode, list(answer.objects()), answer.tombstones()) == ("delta", [ground.guid_of(dn)], {})


def test_renaming_from_one_odd_name_to_the_next(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Plain", "plain")
    guid = ground.guid_of(dn)
    ground.read()
    for name in NAMES:
        dn = changes.rename(ground.admin, dn, name)
        answer = ground.read()
        assert {found: rdns(item["distinguishedName"]) for found, item in answer.objects().items()} == {
            guid: rdns(dn)
        }

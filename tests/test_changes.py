"""Each kind of change an administrator makes in Active Directory arrives with the next scheduled cycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from ldap3 import Connection

from lab import changes
from lab.population import Company
from lab.portal_client import Document
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

# Users, groups and departments of the company, by number; users eight apart are in the same department.
RETITLED, CLEARED, RENAMED, MOVED, DISABLED, DELETED, REMANAGED = 18, 4, 5, 6, 7, 9, 10
GROUP, DEPARTMENT = 2, 3


@dataclass
class Changed:
    """What was changed, by kind of change: the objects, and the cycle that brought it over."""

    guids: dict[str, UUID] = field(default_factory=dict)
    below: list[UUID] = field(default_factory=list)
    cycle: Document = field(default_factory=dict)

    def note(self, connection: Connection, what: str, dn: str) -> str:
        """Remember an object by its objectGUID."""
        self.guids[what] = changes.object_guid(connection, dn)
        return dn


@pytest.fixture(scope="module")
def changed(corp: Site) -> Changed:
    """One change of every kind, all made between two cycles."""
    noted = Changed()
    with corp.forest.connect() as connection:
        _change_people(connection, corp.company, noted)
        _change_members(connection, corp.company, noted)
        # Last, because it changes the DNs that the others are found by.
        _rename_unit(connection, corp.company, noted)
    noted.cycle = corp.next_cycle()
    return noted


def _change_people(connection: Connection, company: Company, noted: Changed) -> None:
    def person(what: str, number: int) -> str:
        return noted.note(connection, what, company.user_dn(number))

    new = changes.add_user(
        connection,
        company.department_dns[0],
        "Zoë O'Neill, PhD",
        "zoe.oneill",
        {"manager": company.user_dn(1)},
    )
    noted.note(connection, "added", new)
    changes.set_attribute(connection, person("retitled", RETITLED), "title", "Keeper of the Isthmus")
    changes.clear_attribute(connection, person("cleared", CLEARED), "department")
    changes.rename(connection, person("renamed", RENAMED), "Renamed, Person")
    changes.move(connection, person("moved", MOVED), company.department_dns[0])
    changes.disable(connection, person("disabled", DISABLED))
    changes.delete(connection, person("deleted", DELETED))
    changes.set_attribute(connection, person("remanaged", REMANAGED), "manager", new)


def _change_members(connection: Connection, company: Company, noted: Changed) -> None:
    group = noted.note(connection, "group", company.group_dns[GROUP])
    members = set(company.group_members(GROUP))
    others = [company.user_dn(number) for number in range(11, 40)]
    joiner = noted.note(connection, "joined", next(dn for dn in others if dn not in members))
    leaver = noted.note(connection, "left", next(dn for dn in others if dn in members))
    changes.add_members(connection, group, joiner)
    changes.remove_members(connection, group, leaver)


def _rename_unit(connection: Connection, company: Company, noted: Changed) -> None:
    unit = company.department_dns[DEPARTMENT]
    people = range(DEPARTMENT + 8, company.users, 8)
    noted.below = [changes.object_guid(connection, company.user_dn(number)) for number in people]
    changes.rename(connection, unit, "Sales, Marketing & Øre")


def attributes(corp: Site, guid: UUID) -> Mapping[str, object]:
    found: Mapping[str, object] = corp.user(guid)["attributes"]
    return found


def test_a_scheduled_delta_brings_them(changed: Changed) -> None:
    assert (changed.cycle["kind"], changed.cycle["count_failed"]) == ("delta", 0)


def test_a_new_user_arrives(corp: Site, changed: Changed) -> None:
    assert corp.user(changed.guids["added"])["display_name"] == "Zoë O'Neill, PhD"


def test_a_changed_attribute_arrives(corp: Site, changed: Changed) -> None:
    assert attributes(corp, changed.guids["retitled"])["JobTitle"] == "Keeper of the Isthmus"


def test_a_cleared_attribute_is_cleared(corp: Site, changed: Changed) -> None:
    assert "Department" not in attributes(corp, changed.guids["cleared"])


def test_a_renamed_user_has_the_new_name(corp: Site, changed: Changed) -> None:
    renamed = attributes(corp, changed.guids["renamed"])
    assert renamed["CommonName"] == "Renamed, Person"
    assert str(renamed["OnPremisesDistinguishedName"]).startswith("CN=Renamed\\, Person,")


def test_a_moved_user_has_the_new_place(corp: Site, changed: Changed) -> None:
    place = str(attributes(corp, changed.guids["moved"])["OnPremisesDistinguishedName"])
    assert place.endswith(f",{corp.company.department_dns[0]}")


def test_a_disabled_account_is_disabled(corp: Site, changed: Changed) -> None:
    assert corp.user(changed.guids["disabled"])["account_enabled"] is False


def test_a_deleted_user_is_soft_deleted(corp: Site, changed: Changed) -> None:
    assert corp.user(changed.guids["deleted"])["deleted_at"] is not None


def test_another_manager_arrives_even_one_who_is_new(corp: Site, changed: Changed) -> None:
    assert corp.user(changed.guids["remanaged"])["manager_id"] == corp.user(changed.guids["added"])["id"]


def test_members_come_and_go(corp: Site, changed: Changed) -> None:
    [group] = corp.client.all("directory/groups/", object_guid=str(changed.guids["group"]))
    members = {one["id"] for one in corp.client.all(f"directory/groups/{group['id']}/members/")}
    assert corp.user(changed.guids["joined"])["id"] in members
    assert corp.user(changed.guids["left"])["id"] not in members


def test_everybody_below_a_renamed_unit_has_the_new_dn(corp: Site, changed: Changed) -> None:
    assert len(changed.below) > 10
    for guid in changed.below:
        place = str(attributes(corp, guid)["OnPremisesDistinguishedName"])
        assert ",OU=Sales\\, Marketing & Øre," in place


def test_afterwards_everybody_is_as_in_active_directory(corp: Site, changed: Changed) -> None:
    assert corp.in_cloud() == corp.in_active_directory()


def test_the_log_tells_old_and_new_values(corp: Site, changed: Changed) -> None:
    row = corp.log(object_guid=str(changed.guids["retitled"]))[0]
    [title] = row["modified"]
    assert (row["action"], title["displayName"], title["newValue"]) == (
        "Update",
        "JobTitle",
        "Keeper of the Isthmus",
    )
    assert title["oldValue"]

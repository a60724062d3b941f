"""One user, group or contact is provisioned at once, and every step of it is told."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest

from lab import changes
from lab.errors import LabError
from lab.portal_client import Document
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

LIMIT_S = 2.0
MANY = 2_000


@dataclass(frozen=True)
class Halted:
    """A company in sync whose job is paused, so that nothing but on demand writes."""

    corp: Site

    def provision(self, name: str, **how: object) -> Document:
        """Provision one object; the time it took is printed and held against the limit."""
        began = time.monotonic()
        done = self.corp.client.post(
            f"configurations/{self.corp.configuration_id}/provision-on-demand", {"object": name, **how}
        )
        took = time.monotonic() - began
        print(f"on demand: {done['action']} {done['status']} in {took:.2f} s ({name[:60]})")  # noqa: T201 — a figure
        assert took < LIMIT_S
        return done

    def refused(self, name: str) -> str:
        """The error that the request ends with."""
        with pytest.raises(LabError) as error:
            self.provision(name)
        return str(error.value)


def is_idle(corp: Site) -> bool:
    return corp.database.rows("SELECT 1 FROM provisioning_job WHERE current_cycle_id IS NOT NULL") == []


@pytest.fixture(scope="module")
def halted(corp: Site) -> Iterator[Halted]:
    corp.steer("pause")
    corp.until(lambda: is_idle(corp), "the cycle under way has ended")
    yield Halted(corp)
    corp.steer("start")


def steps(done: Document) -> dict[str, str]:
    return {step["type"]: step["status"] for step in done["steps"]}


def watermark_of(corp: Site) -> object:
    return corp.database.rows(
        "SELECT watermark, watermark_at FROM provisioning_job WHERE id = %s", corp.job_id
    )


@contextmanager
def scoped_to(corp: Site, *containers: UUID) -> Iterator[None]:
    """The configuration reads these containers only, for a while."""
    address = f"configurations/{corp.configuration_id}/"
    whole = corp.client.get(address)["schema"]
    narrow = copy.deepcopy(whole)
    narrow["synchronizationRules"][0]["containerFilter"] = {
        "includedContainers": [str(container) for container in containers]
    }
    corp.client.patch(address, {"schema": narrow})
    try:
        yield
    finally:
        corp.client.patch(address, {"schema": whole})


def test_a_changed_user_is_updated_by_dn(halted: Halted) -> None:
    corp, dn = halted.corp, halted.corp.company.user_dn(21)
    before = watermark_of(corp)
    with corp.forest.connect() as connection:
        changes.set_attribute(connection, dn, "title", "On demand")
        guid = changes.object_guid(connection, dn)
    done = halted.provision(dn)
    assert (done["action"], done["status"]) == ("Update", "Success")
    [title] = done["modifiedProperties"]
    assert (title["displayName"], title["newValue"]) == ("JobTitle", "On demand")
    assert corp.user(guid)["attributes"]["JobTitle"] == "On demand"
    assert steps(done) == dict.fromkeys(("import", "scoping", "matching", "export"), "success")
    cycle = corp.client.get(f"cycles/{done['cycle']}/")
    assert (cycle["kind"], cycle["step"], cycle["count_exported"]) == ("on_demand", "done", 1)
    assert [row["action"] for row in corp.log(cycle=str(done["cycle"]))] == ["Update"]
    assert watermark_of(corp) == before


def test_again_there_is_nothing_to_do(halted: Halted) -> None:
    done = halted.provision(halted.corp.company.user_dn(21))
    assert (done["action"], done["status"]) == ("Other", "Skipped")
    assert done["steps"][-1]["details"]["SkipReason"] == "RedundantExport"


def test_a_new_user_is_created_by_upn_and_deleted_by_guid(halted: Halted) -> None:
    corp = halted.corp
    with corp.forest.connect() as connection:
        dn = changes.add_user(connection, corp.company.department_dns[1], "On (demand) *", "on.demand", {})
        guid = changes.object_guid(connection, dn)
        created = halted.provision(changes.read(connection, dn, "userPrincipalName")["userPrincipalName"][0])
        assert (created["action"], created["status"]) == ("Create", "Success")
        assert corp.user(guid)["display_name"] == "On (demand) *"
        assert created["targetIdentity"]["id"] == corp.user(guid)["id"]
        changes.delete(connection, dn)
    deleted = halted.provision(str(guid))
    assert (deleted["action"], deleted["status"]) == ("Delete", "Success")
    assert corp.user(guid)["deleted_at"] is not None


def test_a_group_with_two_thousand_members(halted: Halted) -> None:
    corp = halted.corp
    with corp.forest.connect() as connection:
        members = [f"CN=Crowd {number},{corp.company.department_dns[2]}" for number in range(MANY)]
        for member in members:
            connection.add(member, "contact")
        parent = corp.company.department_dns[0]
        group = changes.add_group(connection, parent, "Everybody at once", "everybody-at-once", members)
        guid = changes.object_guid(connection, group)
    corp.cycle_now(by="start")
    corp.steer("pause")
    with corp.forest.connect() as connection:
        changes.remove_members(connection, group, *members[:700])
    done = halted.provision(str(guid))
    assert (done["action"], done["status"]) == ("Update", "Success")
    assert done["steps"][0]["details"]["members"] == MANY - 700
    [row] = corp.client.all("directory/groups/", object_guid=str(guid))
    held = list(corp.client.all(f"directory/groups/{row['id']}/members/", page_size="1000"))
    assert len(held) == MANY - 700


def test_who_is_out_of_scope_is_left_out_unless_forced(halted: Halted) -> None:
    corp = halted.corp
    dn = f"CN=Outside,CN=Users,{corp.forest.base_dn}"
    with corp.forest.connect() as connection:
        changes.add_user(connection, f"CN=Users,{corp.forest.base_dn}", "Outside", "outside", {})
        guid = changes.object_guid(connection, dn)
        unit = changes.object_guid(connection, corp.company.department_dns[0])
    with scoped_to(corp, unit):
        left = halted.provision(dn)
        assert (left["action"], left["status"], steps(left)["scoping"]) == ("Other", "Skipped", "skipped")
        assert not corp.present(guid)
        forced = halted.provision(dn, forced=True)
        assert (forced["action"], forced["status"], steps(forced)["scoping"]) == (
            "Create",
            "Success",
            "warning",
        )
        assert corp.user(guid)["display_name"] == "Outside"
        back = halted.provision(dn)
        assert (back["action"], back["status"]) == ("Delete", "Success")


def test_wrong_names_are_told(halted: Halted) -> None:
    corp = halted.corp
    assert "ObjectNotFound" in halted.refused("nobody@stack.example")
    assert "ObjectNotFound" in halted.refused(f"CN=Nobody,{corp.forest.base_dn}")
    assert "ObjectNotFound" in halted.refused("CN=Nobody,DC=elsewhere,DC=example")
    assert "ObjectNotFound" in halted.refused("this is = no name")
    assert "ObjectNotFound" in halted.refused("6215827a-0032-4e9c-8aef-44471dd7eda2")
    assert "ObjectNotRead" in halted.refused(f"CN=Domain Admins,CN=Users,{corp.forest.base_dn}")


def test_without_an_agent_it_says_so(halted: Halted) -> None:
    corp = halted.corp
    # Other tests may have given the domain further agents.
    of_domain = (
        "UPDATE agents_agent SET state = '{}' WHERE state = '{}' AND id IN (SELECT g.agent_id"
        " FROM agents_resourcegrouping g JOIN agents_domain d ON d.id = g.domain_id WHERE d.fqdn = %s)"
    )
    corp.database.change(of_domain.format("inactive", "active"), corp.forest.dns_name)
    try:
        assert "HybridIdentityServiceNoActiveAgents" in halted.refused(corp.company.user_dn(1))
    finally:
        corp.database.change(of_domain.format("active", "inactive"), corp.forest.dns_name)

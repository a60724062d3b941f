"""Another scope, with a real directory: worked out from what is stored where that is enough."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from lab import changes
from lab.portal_client import Document
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


def places(corp: Site, name: str) -> dict[str, str]:
    """objectGUIDs of containers and groups by DN."""
    found = corp.client.get(f"configurations/{corp.configuration_id}/places/", name=name)
    return {one["dn"]: one["guid"] for one in found["results"]}


def save(corp: Site, document: Document, containers: Sequence[str]) -> tuple[Document, Document]:
    """Save another list of containers: what the preview told, and the cycle that followed."""
    changed: dict[str, Any] = copy.deepcopy(document)
    changed["synchronizationRules"][0]["containerFilter"] = {"includedContainers": list(containers)}
    address = f"configurations/{corp.configuration_id}/"
    told = corp.client.post(f"{address}preview/", {"schema": changed})
    # A cycle under way would work the change out itself.
    corp.steer("pause")
    corp.until(lambda: corp.job["current_cycle"] is None, "the cycle under way has ended")
    since = datetime.now(UTC)
    corp.client.patch(address, {"schema": changed})
    corp.steer("start")
    return told, corp.next_cycle(since=since)


def test_a_narrower_scope_reads_nothing_and_a_wider_one_reads_everything(corp: Site) -> None:
    with corp.forest.connect() as connection:
        unit = changes.add_unit(connection, corp.forest.base_dn, "Leavers")
        guid = changes.object_guid(connection, changes.add_user(connection, unit, "Vera Leaver", "vleaver"))
    corp.until(lambda: corp.present(guid), "the new user is in the cloud")
    depth = corp.forest.base_dn.count(",") + 1
    top = {dn: one for dn, one in places(corp, corp.forest.base_dn).items() if dn.count(",") == depth}
    assert unit in top
    assert corp.company.root_dn in top

    document = corp.client.get(f"configurations/{corp.configuration_id}/")["schema"]
    others = [one for dn, one in top.items() if dn != unit]
    told, cycle = save(corp, document, others)
    assert (told["readsEverything"], told["counts"]) == (False, {"user": {"delete": 1}})
    assert (cycle["kind"], cycle["count_imported"], cycle["count_exported"]) == ("evaluation", 0, 1)
    assert not corp.present(guid)
    following = corp.next_cycle()
    assert (following["kind"], following["count_planned"]) == ("delta", 0)

    told, cycle = save(corp, document, [*others, top[unit]])
    assert told["limits"] == [f"The container {unit} ({top[unit]}) was not read so far."]
    assert (cycle["kind"], cycle["count_exported"]) == ("initial", 1)
    assert corp.present(guid)
    told, cycle = save(corp, document, [])
    assert told["readsEverything"] is True
    assert (cycle["kind"], cycle["count_exported"]) == ("initial", 0)


def test_a_name_that_is_not_known_is_looked_up_by_an_agent(corp: Site) -> None:
    with corp.forest.connect() as connection:
        users = f"CN=Users,{corp.forest.base_dn}"
        group = changes.add_group(connection, users, "Chosen", "chosen")
        guid = str(changes.object_guid(connection, group))
        person = changes.add_user(connection, users, "Vera Unsuitable", "vunsuitable")
        corp.steer("pause")
        unit = changes.add_unit(connection, corp.forest.base_dn, "Fresh")
        fresh = str(changes.object_guid(connection, unit))
    try:
        assert places(corp, unit) == {unit: fresh}
        assert places(corp, guid) == {group: guid}
        refused = corp.client.session.get(
            f"{corp.client.base}configurations/{corp.configuration_id}/places/", params={"name": person}
        )
        assert refused.json()["code"] == "ScopeObjectUnsuitable"
    finally:
        corp.steer("start")

"""Groups beyond the 1500 values a server hands out at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lab import changes
from lab.agent.playground import Playground
from lab.agent.reading import Answer, ask, login_to, question
from lab.population import Entry
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent.ldap import ranges
from provisioning_agent.ldap.connection import connect

pytestmark = pytest.mark.forest

SIZES = (1499, 1500, 1501, 5003)


def crowd(root: str) -> Iterator[Entry]:
    yield Entry(f"OU=Crowd,{root}", {"objectClass": ["organizationalUnit"]})
    names = [f"CN=c{number},OU=Crowd,{root}" for number in range(max(SIZES))]
    for dn in names:
        yield Entry(dn, {"objectClass": ["contact"]})
    for size in SIZES:
        attributes = {"objectClass": ["group"], "sAMAccountName": [f"range{size}"], "member": names[:size]}
        yield Entry(f"CN=Range {size},OU=Crowd,{root}", attributes)


@pytest.fixture(scope="session")
def crowded(make_forest: ForestFactory) -> SambaForest:
    forest = make_forest("range.example", "RANGE", start=False)
    forest.add_offline(crowd(forest.base_dn))
    forest.start()
    return forest


@pytest.fixture
def ground(crowded: SambaForest) -> Iterator[Playground]:
    with crowded.connect() as admin:
        dn = f"OU=Crowd,{crowded.base_dn}"
        yield Playground(admin, login_to(crowded), crowded.dns_name, dn)


def sizes(answer: Answer) -> dict[str, tuple[bool, int]]:
    groups = {
        guid: item["sAMAccountName"] for guid, item in answer.objects().items() if "sAMAccountName" in item
    }
    found = {}
    for guid, name in groups.items():
        whole, added, removed = answer.members(guid)
        assert removed == set()
        found[name] = (whole, len(added))
    return found


def test_groups_of_any_size_are_read_whole(ground: Playground) -> None:
    answer = ground.read()
    assert sizes(answer) == {f"range{size}": (True, size) for size in SIZES}
    assert answer.counts == {"contact": max(SIZES), "group": len(SIZES)}


def test_a_large_group_is_continued_in_resources_of_its_id(ground: Playground) -> None:
    answer = ground.read()
    guid = ground.guid_of(f"CN=Range 5003,{ground.dn}")
    parts = [found for found in answer.resources if found["id"] == guid]
    assert [len(part["members"]["added"]) for part in parts] == [5000, 3]
    assert [part["meta"].get("continues", False) for part in parts] == [False, True]


def test_more_members_than_a_range_holds_are_added_by_a_delta(ground: Playground) -> None:
    group = changes.add_group(ground.admin, ground.dn, "Grows", "grows")
    try:
        ground.read()
        members = [f"CN=c{number},{ground.dn}" for number in range(1600)]
        changes.add_members(ground.admin, group, *members)
        assert sizes(ground.read()) == {"grows": (False, 1600)}
    finally:
        changes.delete(ground.admin, group)


def test_a_group_that_changes_between_its_ranges_is_read_again(
    ground: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    guid = ground.guid_of(f"CN=Range 1501,{ground.dn}")
    extend, once = ranges._extend, threading.Event()

    def change_first(*arguments: object) -> None:
        if not once.is_set():
            once.set()
            changes.remove_members(ground.admin, f"CN=Range 1501,{ground.dn}", f"CN=c0,{ground.dn}")
        extend(*arguments)  # type: ignore[arg-type]  # passed on as received

    monkeypatch.setattr(ranges, "_extend", change_first)
    try:
        with connect(ground.login) as connection:
            entry = ranges.read_whole(connection, guid, ("member;range=0-1499",))
        assert entry is not None
        assert sum(map(len, (v for k, v in entry.attributes.items() if k.startswith(b"member")))) == 1500
    finally:
        changes.add_members(ground.admin, f"CN=Range 1501,{ground.dn}", f"CN=c0,{ground.dn}")


def test_the_members_of_a_large_group_do_not_hold_up_other_types(crowded: SambaForest) -> None:
    answer = ask(login_to(crowded), question(crowded.dns_name, page_size=500))
    assert max(answer.sizes) <= 500
    assert len(answer.objects()) == sum(answer.counts.values())

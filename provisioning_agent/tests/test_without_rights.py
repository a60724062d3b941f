"""Reading for accounts that may not replicate, or not see what was deleted: every change arrives all the same."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
from ldap3 import Connection

from lab import changes
from lab.agent.playground import Playground
from lab.agent.reading import Answer, login_to
from lab.samba import Account, SambaForest

pytestmark = pytest.mark.forest

WEAK_NOTES = ["ReadByUsnChanged", "TombstonesInvisible"]
COMPARED = "DeletionsCompared"


@pytest.fixture(scope="session")
def weak(forest: SambaForest) -> Account:
    """An account that may only read."""
    return forest.create_service_account("weak", rights=())


@pytest.fixture(scope="session")
def blind(forest: SambaForest) -> Account:
    """An account that may replicate and does not see deletions."""
    return forest.create_service_account("sightless", rights=("get-changes",))


@pytest.fixture
def ground(admin: Connection, forest: SambaForest, playground: str, weak: Account) -> Playground:
    """A scope read by the weak account."""
    return Playground(admin, login_to(forest, weak), forest.dns_name, playground)


def rewrite(ground: Playground, **fields: Any) -> None:
    """Change the watermark as time, or a restored controller, would."""
    body = orjson.loads(base64.urlsafe_b64decode(ground.watermark or ""))
    ground.watermark = base64.urlsafe_b64encode(orjson.dumps(body | fields)).decode()


def present(answer: Answer) -> set[str]:
    return {found["id"] for found in answer.resources if found["meta"].get("present")}


def test_without_the_right_everything_is_read_and_then_what_changed(ground: Playground) -> None:
    first = changes.add_user(ground.admin, ground.dn, "First", "first")
    changes.add_user(ground.admin, ground.dn, "Second", "second")
    answer = ground.read()
    assert (answer.mode, answer.notes, len(answer.objects())) == ("initial", WEAK_NOTES, 2)
    assert ground.read().resources == []
    changes.set_attribute(ground.admin, first, "title", "Head")
    third = changes.add_user(ground.admin, ground.dn, "Third", "third")
    answer = ground.read()
    assert (answer.mode, answer.notes) == ("delta", WEAK_NOTES)
    assert set(answer.objects()) == {ground.guid_of(first), ground.guid_of(third)}
    assert answer.objects()[ground.guid_of(first)]["title"] == "Head"


def test_members_come_whole(ground: Playground) -> None:
    users = [changes.add_user(ground.admin, ground.dn, f"U{n}", f"usnuser{n}") for n in range(3)]
    group = changes.add_group(ground.admin, ground.dn, "G", "usngroup", users[:2])
    ground.read()
    changes.remove_members(ground.admin, group, users[0])
    changes.add_members(ground.admin, group, users[2])
    members = {ground.guid_of(users[1]), ground.guid_of(users[2])}
    assert ground.read().members(ground.guid_of(group)) == (True, members, set())


def test_a_move_out_of_scope_and_a_renamed_unit_arrive(ground: Playground) -> None:
    inside = changes.add_unit(ground.admin, ground.dn, "Inside")
    outside = changes.add_unit(ground.admin, ground.dn, "Outside")
    goes = changes.add_user(ground.admin, inside, "Goes", "usngoes")
    stays = changes.add_user(ground.admin, inside, "Stays", "usnstays")
    scope = [ground.guid_of(inside)]
    ground.read(scope)
    went = changes.move(ground.admin, goes, outside)
    renamed = changes.rename(ground.admin, inside, "Renamed")
    answer = ground.read(scope)
    assert answer.tombstones() == {ground.guid_of(went): "outOfScope"}
    assert [one["distinguishedName"] for one in answer.objects().values()] == [f"CN=Stays,{renamed}"]
    assert stays != f"CN=Stays,{renamed}"


def test_deletions_are_found_by_comparing_once_an_hour(ground: Playground) -> None:
    gone = changes.add_user(ground.admin, ground.dn, "Gone", "usngone")
    stays = changes.add_user(ground.admin, ground.dn, "Stays", "usnstays")
    ground.read()
    changes.delete(ground.admin, gone)
    answer = ground.read()
    assert (present(answer), COMPARED in answer.notes) == (set(), False)
    rewrite(ground, comparedAt=0)
    answer = ground.read()
    assert (answer.mode, present(answer), COMPARED in answer.notes) == (
        "delta",
        {ground.guid_of(stays)},
        True,
    )
    assert COMPARED not in ground.read().notes


def test_with_dirsync_invisible_deletions_are_compared_too(
    admin: Connection, forest: SambaForest, playground: str, blind: Account
) -> None:
    ground = Playground(admin, login_to(forest, blind), forest.dns_name, playground)
    stays = changes.add_user(admin, playground, "Stays", "blindstays")
    gone = changes.add_user(admin, playground, "Gone", "blindgone")
    assert ground.read().notes == ["TombstonesInvisible"]
    changes.delete(admin, gone)
    rewrite(ground, comparedAt=0)
    answer = ground.read()
    assert present(answer) == {ground.guid_of(stays)}
    assert answer.notes == [COMPARED, "TombstonesInvisible"]


@pytest.mark.parametrize(
    "fields", [{"invocationId": "00000000-0000-0000-0000-000000000001"}, {"usn": 1 << 40}, {"usn": 0}]
)
def test_another_or_a_restored_database_is_read_from_the_start(
    ground: Playground, fields: dict[str, Any]
) -> None:
    changes.add_user(ground.admin, ground.dn, "Again", "usnagain")
    ground.read()
    rewrite(ground, **fields)
    answer = ground.read()
    assert (answer.mode, len(answer.objects())) == ("initial", 1)
    assert ground.read().mode == "delta"


def test_a_right_that_is_granted_or_taken_away_needs_no_read_from_the_start(
    ground: Playground, forest: SambaForest
) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Same", "usnsame")
    ground.read()
    weak, strong = ground.login, login_to(forest)
    for number, login in enumerate((strong, strong, weak, weak)):
        changes.set_attribute(ground.admin, dn, "title", str(number))
        ground.login = login
        answer = ground.read()
        assert (answer.mode, answer.objects()[ground.guid_of(dn)]["title"]) == ("delta", str(number))
    assert "ReadByUsnChanged" in answer.notes


def test_scope_by_group_without_the_right(ground: Playground) -> None:
    inside = changes.add_user(ground.admin, ground.dn, "Inside", "usninside")
    other = changes.add_user(ground.admin, ground.dn, "Other", "usnother")
    root = changes.add_group(ground.admin, ground.dn, "Root", "usnroot", [inside])
    asked = {"groups": [ground.guid_of(root)]}
    assert set(ground.read(**asked).objects()) == {ground.guid_of(inside)}
    for dn in (inside, other):
        changes.set_attribute(ground.admin, dn, "title", "New")
    answer = ground.read(**asked)
    assert (answer.mode, set(answer.objects())) == ("delta", {ground.guid_of(inside)})
    changes.remove_members(ground.admin, root, inside)
    changes.add_members(ground.admin, root, other)
    # Who left can not be told; a complete read names all who are in.
    answer = ground.read(**asked)
    assert (answer.mode, set(answer.objects())) == ("initial", {ground.guid_of(other)})

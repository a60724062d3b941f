"""Delta reads against a real domain controller: each kind of change arrives, and nothing else."""

from __future__ import annotations

import base64

import orjson
import pytest

from lab import changes
from lab.agent.playground import Playground

pytestmark = pytest.mark.forest


def test_nothing_changed_gives_one_empty_page(ground: Playground) -> None:
    changes.add_user(ground.admin, ground.dn, "Quiet", "quiet")
    ground.read()
    answer = ground.read()
    assert (answer.mode, answer.sizes, answer.resources) == ("delta", [0], [])


def test_a_new_user_arrives_with_all_its_attributes(ground: Playground) -> None:
    ground.read()
    dn = changes.add_user(ground.admin, ground.dn, "Neu, Änne", "aenne", {"title": "Chef"})
    found = ground.read().objects()[ground.guid_of(dn)]
    assert (found["distinguishedName"], found["title"], found["sAMAccountName"]) == (dn, "Chef", "aenne")


def test_one_changed_attribute_brings_the_full_object(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Climber", "climber", {"title": "Clerk"})
    changes.add_user(ground.admin, ground.dn, "Bystander", "bystander")
    ground.read()
    changes.set_attribute(ground.admin, dn, "title", "Head")
    answer = ground.read()
    assert list(answer.objects()) == [ground.guid_of(dn)]
    found = answer.objects()[ground.guid_of(dn)]
    assert (found["title"], found["displayName"]) == ("Head", "Climber")


def test_a_cleared_attribute_is_absent(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Cleared", "cleared", {"title": "Clerk"})
    ground.read()
    changes.clear_attribute(ground.admin, dn, "title")
    assert "title" not in ground.read().objects()[ground.guid_of(dn)]


def test_a_change_of_what_was_not_asked_for_is_not_reported(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Private", "private")
    ground.read()
    changes.set_attribute(ground.admin, dn, "homePhone", "1")
    assert ground.read().resources == []


def test_a_disabled_account_arrives_as_disabled(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Leaver", "leaver")
    ground.read()
    changes.disable(ground.admin, dn)
    assert ground.read().objects()[ground.guid_of(dn)]["accountDisabled"] is True


def test_a_renamed_user_keeps_its_id_and_brings_its_new_name(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Maiden", "maiden")
    ground.read()
    new = changes.rename(ground.admin, dn, "Wed, Ly")
    answer = ground.read()
    assert {guid: item["distinguishedName"] for guid, item in answer.objects().items()} == {
        ground.guid_of(new): new
    }


def test_moving_into_and_out_of_scope(ground: Playground) -> None:
    inside = changes.add_unit(ground.admin, ground.dn, "Inside")
    outside = changes.add_unit(ground.admin, ground.dn, "Outside")
    comes = changes.add_user(ground.admin, outside, "Comes", "comes")
    goes = changes.add_user(ground.admin, inside, "Goes", "goes")
    scope = [ground.guid_of(inside)]
    assert list(ground.read(scope).objects()) == [ground.guid_of(goes)]
    came = changes.move(ground.admin, comes, inside)
    went = changes.move(ground.admin, goes, outside)
    answer = ground.read(scope)
    assert list(answer.objects()) == [ground.guid_of(came)]
    assert answer.tombstones() == {ground.guid_of(went): "outOfScope"}


def test_a_deleted_object_of_each_type_is_a_tombstone(ground: Playground) -> None:
    user = changes.add_user(ground.admin, ground.dn, "Gone", "gone")
    group = changes.add_group(ground.admin, ground.dn, "Gone group", "gonegroup", [user])
    guids = [ground.guid_of(dn) for dn in (user, group)]
    ground.read()
    changes.delete(ground.admin, user)
    changes.delete(ground.admin, group)
    answer = ground.read()
    assert answer.tombstones() == dict.fromkeys(guids, "deleted")
    assert answer.objects() == {}


def test_members_added_and_removed_arrive_as_such(ground: Playground) -> None:
    users = [changes.add_user(ground.admin, ground.dn, f"M, {n}", f"mm{n}") for n in range(4)]
    group = changes.add_group(ground.admin, ground.dn, "Club", "club", users[:2])
    ground.read()
    changes.add_members(ground.admin, group, users[2], users[3])
    changes.remove_members(ground.admin, group, users[0])
    answer = ground.read()
    added = {ground.guid_of(users[2]), ground.guid_of(users[3])}
    assert answer.members(ground.guid_of(group)) == (False, added, {ground.guid_of(users[0])})


def test_a_member_removed_and_added_again_counts_as_a_member(ground: Playground) -> None:
    user = changes.add_user(ground.admin, ground.dn, "Twice", "twice")
    group = changes.add_group(ground.admin, ground.dn, "Fickle", "fickle", [user])
    ground.read()
    changes.remove_members(ground.admin, group, user)
    changes.add_members(ground.admin, group, user)
    whole, added, removed = ground.read().members(ground.guid_of(group))
    assert (whole, removed) == (False, set())
    assert added <= {ground.guid_of(user)}


def test_a_group_that_comes_into_scope_brings_all_its_members(ground: Playground) -> None:
    inside = changes.add_unit(ground.admin, ground.dn, "Inside")
    user = changes.add_user(ground.admin, inside, "Old member", "oldmember")
    group = changes.add_group(ground.admin, ground.dn, "Drifter", "drifter", [user])
    scope = [ground.guid_of(inside)]
    ground.read(scope)
    moved = changes.move(ground.admin, group, inside)
    answer = ground.read(scope)
    assert answer.members(ground.guid_of(moved)) == (True, {ground.guid_of(user)}, set())


def test_a_new_group_brings_its_members(ground: Playground) -> None:
    user = changes.add_user(ground.admin, ground.dn, "Founder", "founder")
    ground.read()
    group = changes.add_group(ground.admin, ground.dn, "Start-up", "startup", [user])
    assert ground.read().members(ground.guid_of(group)) == (True, {ground.guid_of(user)}, set())


def test_everything_below_a_renamed_unit_gets_its_new_name(ground: Playground) -> None:
    unit = changes.add_unit(ground.admin, ground.dn, "Sales")
    deep = changes.add_unit(ground.admin, unit, "South")
    changes.add_user(ground.admin, unit, "Seller", "seller")
    user = changes.add_user(ground.admin, deep, "Deep", "deepseller")
    changes.add_group(ground.admin, deep, "Sellers", "sellers", [user])
    ground.read()
    renamed = changes.rename(ground.admin, unit, "Sales & Marketing")
    answer = ground.read()
    names = {item["distinguishedName"] for item in answer.objects().values()}
    assert names == {
        f"CN=Seller,{renamed}",
        f"CN=Deep,OU=South,{renamed}",
        f"CN=Sellers,OU=South,{renamed}",
    }
    assert answer.counts == {"user": 2, "group": 1}


def test_everything_below_a_unit_moved_out_of_scope_leaves_and_comes_back(ground: Playground) -> None:
    inside = changes.add_unit(ground.admin, ground.dn, "Inside")
    outside = changes.add_unit(ground.admin, ground.dn, "Outside")
    unit = changes.add_unit(ground.admin, inside, "Team")
    user = changes.add_user(ground.admin, unit, "Teamster", "teamster")
    guid, scope = ground.guid_of(user), [ground.guid_of(inside)]
    assert list(ground.read(scope).objects()) == [guid]
    moved = changes.move(ground.admin, unit, outside)
    assert ground.read(scope).tombstones() == {guid: "outOfScope"}
    changes.move(ground.admin, moved, inside)
    assert list(ground.read(scope).objects()) == [guid]


def test_a_renamed_scope_container_stays_the_scope(ground: Playground) -> None:
    unit = changes.add_unit(ground.admin, ground.dn, "Before")
    user = changes.add_user(ground.admin, unit, "Stayer", "stayer")
    scope = [ground.guid_of(unit)]
    ground.read(scope)
    renamed = changes.rename(ground.admin, unit, "After")
    answer = ground.read(scope)
    assert answer.tombstones() == {}
    assert answer.objects()[scope_member(ground, renamed)]["distinguishedName"] == f"CN=Stayer,{renamed}"
    assert user != f"CN=Stayer,{renamed}"


def scope_member(ground: Playground, unit: str) -> str:
    return ground.guid_of(f"CN=Stayer,{unit}")


def test_a_changed_question_is_answered_from_the_start(ground: Playground) -> None:
    changes.add_user(ground.admin, ground.dn, "Again", "again")
    ground.read()
    inner = changes.add_unit(ground.admin, ground.dn, "More")
    assert ground.read([ground.guid, ground.guid_of(inner)]).mode == "initial"


@pytest.mark.parametrize("watermark", ["rubbish", "bm90IGpzb24=", "e30="])
def test_a_watermark_that_is_not_ours_is_answered_from_the_start(ground: Playground, watermark: str) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Again", "again")
    ground.watermark = watermark
    answer = ground.read()
    assert (answer.mode, list(answer.objects())) == ("initial", [ground.guid_of(dn)])


def test_a_cookie_the_controller_refuses_leads_to_a_read_from_the_start(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Again", "again")
    body = orjson.loads(base64.urlsafe_b64decode(ground.read().watermark))
    body["cookies"] = {name: base64.b64encode(b"not a cookie").decode() for name in body["cookies"]}
    ground.watermark = base64.urlsafe_b64encode(orjson.dumps(body)).decode()
    answer = ground.read()
    assert (answer.mode, list(answer.objects())) == ("initial", [ground.guid_of(dn)])
    assert ground.read().mode == "delta"


def test_an_object_changed_many_times_arrives_once(ground: Playground) -> None:
    dn = changes.add_user(ground.admin, ground.dn, "Busy", "busy")
    ground.read()
    for number in range(5):
        changes.set_attribute(ground.admin, dn, "title", str(number))
    changes.set_attribute(ground.admin, dn, "proxyAddresses", "smtp:a@b.test")
    answer = ground.read()
    assert [found["id"] for found in answer.resources] == [ground.guid_of(dn)]
    assert answer.objects()[ground.guid_of(dn)]["title"] == "4"

"""What a scope is chosen from, where it is now, and going on with a narrower question; on a real controller."""

from __future__ import annotations

import pytest

from lab import changes
from lab.agent.playground import Playground
from lab.agent.reading import ALL_TYPES, Answer
from provisioning_agent.wire.requests import ObjectTypeRequest

pytestmark = pytest.mark.forest


def listed(answer: Answer) -> dict[str, str]:
    """The containers named, by objectGUID."""
    return {
        one["id"]: answer.objects()[one["id"]]["distinguishedName"]
        for one in answer.resources
        if one["meta"]["resourceType"] == "container" and "tombstone" not in one["meta"]
    }


def test_containers_are_listed_whole_at_first_and_then_as_they_change(ground: Playground) -> None:
    outer = changes.add_unit(ground.admin, ground.dn, "Outer, old")
    inner = changes.add_unit(ground.admin, outer, "Inner")
    doomed = changes.add_unit(ground.admin, ground.dn, "Doomed")
    outer_guid, inner_guid, doomed_guid = (ground.guid_of(dn) for dn in (outer, inner, doomed))
    first = ground.read(lists_containers=True)
    assert listed(first)[outer_guid] == outer
    assert any(dn.startswith("CN=Users,") for dn in listed(first).values())
    assert not any(",CN=System," in dn for dn in listed(first).values())
    assert listed(ground.read(lists_containers=True)) == {}

    outer = changes.rename(ground.admin, outer, "Outer")
    changes.delete(ground.admin, doomed)
    fresh = changes.add_unit(ground.admin, ground.dn, "Fresh")
    answer = ground.read(lists_containers=True)
    expected = {outer_guid: outer, inner_guid: f"OU=Inner,{outer}", ground.guid_of(fresh): fresh}
    assert (answer.mode, listed(answer)) == ("delta", expected)
    assert answer.tombstones()[doomed_guid] == "deleted"


def test_who_does_not_ask_for_containers_gets_none(ground: Playground) -> None:
    assert listed(ground.read()) == {}


def test_each_answer_tells_where_containers_and_groups_of_the_scope_are(ground: Playground) -> None:
    group = changes.add_group(ground.admin, ground.dn, "Pilot", "pilot")
    group_guid = ground.guid_of(group)
    assert ground.read(groups=[group_guid]).scope == {ground.guid: ground.dn, group_guid: group}
    renamed = changes.rename(ground.admin, group, "Staff")
    assert ground.read(groups=[group_guid]).scope[group_guid] == renamed


def test_a_narrower_question_goes_on_from_the_watermark(ground: Playground) -> None:
    inside = changes.add_unit(ground.admin, ground.dn, "Inside")
    stays = changes.add_user(ground.admin, inside, "Stays", "stays")
    leaves = changes.add_user(ground.admin, ground.dn, "Leaves", "leaves")
    ground.read()
    for dn in (stays, leaves):
        changes.set_attribute(ground.admin, dn, "title", "Head")
    narrow = [ObjectTypeRequest("user", ("distinguishedName", "title"))]
    scope = [ground.guid_of(inside)]
    answer = ground.read(scope, types=narrow, is_covered=True)
    assert answer.mode == "delta"
    assert answer.objects() == {ground.guid_of(stays): {"distinguishedName": stays, "title": "Head"}}
    assert answer.tombstones() == {ground.guid_of(leaves): "outOfScope"}
    assert ground.read(scope, types=narrow).mode == "delta"
    # What was left out has no cookie any more: the portal's word is not enough.
    assert ground.read(scope, types=ALL_TYPES, is_covered=True).mode == "initial"

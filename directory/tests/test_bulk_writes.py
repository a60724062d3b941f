"""Bulk writes of the directory, on a real PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from directory.matching import CONFLICT, MatchPolicy
from directory.models import Group, Membership, User
from directory.models.membership import MemberKind
from directory.services import objects, relations
from directory.services.rows import MISSING, MembershipWrite, ObjectWrite, Verb

pytestmark = pytest.mark.django_db

STRICT = MatchPolicy(parks_duplicates=False)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def create(key: int, anchor: str, **attributes: Any) -> ObjectWrite:
    return ObjectWrite(key, Verb.CREATE, None, anchor, json.dumps(attributes))


def update(key: int, object_id: UUID, **attributes: Any) -> ObjectWrite:
    return ObjectWrite(key, Verb.UPDATE, object_id, None, json.dumps(attributes))


def delete(key: int, object_id: UUID) -> ObjectWrite:
    return ObjectWrite(key, Verb.DELETE, object_id, None, "{}")


def added(*writes: ObjectWrite) -> list[UUID]:
    ids = [result.object_id for result in objects.write(MemberKind.USER, writes, NOW)]
    assert all(ids)
    return [one for one in ids if one is not None]


def test_created_users_hold_their_document_and_generated_columns() -> None:
    [ada] = added(
        create(1, "a1", UserPrincipalName="ada@corp.example", DisplayName="Ada", AccountEnabled=False)
    )
    user = User.objects.get(pk=ada)
    assert (user.user_principal_name, user.display_name, user.account_enabled) == (
        "ada@corp.example",
        "Ada",
        False,
    )
    assert user.deleted_at is None


def test_an_update_patches_and_null_clears() -> None:
    [ada] = added(create(1, "a1", UserPrincipalName="ada@corp.example", Department="Ops", City="Bern"))
    objects.write(MemberKind.USER, [update(2, ada, Department="R&D", City=None)], NOW)
    user = User.objects.get(pk=ada)
    assert user.attributes == {"UserPrincipalName": "ada@corp.example", "Department": "R&D"}


def test_one_colliding_user_fails_alone() -> None:
    results = objects.write(
        MemberKind.USER,
        [
            create(1, "a1", UserPrincipalName="same@corp.example"),
            create(2, "a2", UserPrincipalName="SAME@corp.example"),
            create(3, "a3", UserPrincipalName="other@corp.example"),
        ],
        NOW,
        STRICT,
    )
    assert [result.error_code for result in results] == ["", CONFLICT, ""]
    assert User.objects.count() == 2


def test_an_update_into_a_taken_name_fails_alone() -> None:
    ada, bob = added(create(1, "a1", UserPrincipalName="ada@x"), create(2, "a2", UserPrincipalName="bob@x"))
    results = objects.write(
        MemberKind.USER,
        [update(3, ada, UserPrincipalName="bob@x"), update(4, bob, Department="Ops")],
        NOW,
        STRICT,
    )
    assert [result.error_code for result in results] == [CONFLICT, ""]


def test_the_same_anchor_is_the_same_object() -> None:
    [ada] = added(create(1, "a1", UserPrincipalName="ada@x", DisplayName="Ada"))
    objects.write(MemberKind.USER, [delete(2, ada)], NOW)
    assert User.objects.get(pk=ada).deleted_at == NOW
    [again] = added(create(3, "a1", UserPrincipalName="ada@x", DisplayName="Ada L."))
    user = User.objects.get(pk=again)
    assert (again, user.deleted_at, user.display_name) == (ada, None, "Ada L.")


def test_a_deleted_user_frees_its_name_and_leaves_groups_and_reports() -> None:
    ada, bob = added(create(1, "a1", UserPrincipalName="ada@x"), create(2, "a2", UserPrincipalName="bob@x"))
    [team] = [
        r.object_id for r in objects.write(MemberKind.GROUP, [create(3, "g1", DisplayName="Team")], NOW)
    ]
    assert team is not None
    relations.change_members([MembershipWrite(1, True, team, ada, MemberKind.USER)])
    relations.set_managers(MemberKind.USER, [(bob, ada)], NOW)
    objects.write(MemberKind.USER, [delete(4, ada)], NOW)
    assert not Membership.objects.exists()
    assert User.objects.get(pk=bob).manager_id is None
    added(create(5, "a3", UserPrincipalName="ada@x"))


def test_writing_to_an_object_that_is_gone_says_so() -> None:
    [result] = objects.write(MemberKind.USER, [update(1, uuid4(), Department="Ops")], NOW)
    assert result.error_code == MISSING


def test_memberships_come_and_go_and_may_come_twice() -> None:
    [ada] = added(create(1, "a1", UserPrincipalName="ada@x"))
    [team] = [
        r.object_id for r in objects.write(MemberKind.GROUP, [create(3, "g1", DisplayName="Team")], NOW)
    ]
    assert team is not None
    join = MembershipWrite(1, True, team, ada, MemberKind.USER)
    relations.change_members([join, join])
    assert Group.objects.get(pk=team).memberships.count() == 1
    relations.change_members([MembershipWrite(2, False, team, ada, MemberKind.USER)])
    assert Group.objects.get(pk=team).memberships.count() == 0

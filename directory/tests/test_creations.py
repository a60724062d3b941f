"""Objects created out of a table of the session, on a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from directory.matching import CONFLICT, OTHER_TYPE, MatchPolicy
from directory.models import Contact, Group, User
from directory.models.membership import MemberKind
from directory.services import creations
from directory.services.rows import INVALID, MISSING_VALUES, WriteResult

pytestmark = pytest.mark.django_db

STRICT = MatchPolicy(parks_duplicates=False)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
Staged = tuple[MemberKind, str | None, Mapping[str, Any]]


def create(*objects: Staged, policy: MatchPolicy = STRICT, manager: UUID | None = None) -> list[WriteResult]:
    """Stage the objects, numbered from 1, and create them."""
    found = {"Manager": [str(uuid4()), str(manager)]} if manager else {}
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE TEMP TABLE IF NOT EXISTS staged_here (change_id bigint, object_type smallint, object_id uuid,
               anchor text, document jsonb, references_found jsonb); TRUNCATE staged_here"""
        )
        cursor.executemany(
            "INSERT INTO staged_here VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (number, int(kind), uuid4(), anchor, json.dumps(document), json.dumps(found))
                for number, (kind, anchor, document) in enumerate(objects, 1)
            ],
        )
    return sorted(creations.create("staged_here", NOW, policy), key=lambda one: one.key)


def user(anchor: str | None, name: str, **attributes: Any) -> Staged:
    return MemberKind.USER, anchor, {"UserPrincipalName": f"{name}@corp.example", **attributes}


def codes(results: Sequence[WriteResult]) -> dict[int, str]:
    return {one.key: one.error_code for one in results}


def test_objects_of_every_type_are_created_with_their_manager() -> None:
    boss = uuid4()
    told = create(
        user("a1", "ada"),
        (MemberKind.GROUP, "g1", {"DisplayName": "Team"}),
        (MemberKind.CONTACT, "c1", {"DisplayName": "Partner"}),
        manager=boss,
    )
    assert told == []
    assert User.objects.get().manager_id == boss
    assert Contact.objects.get().manager_id == boss
    assert Group.objects.get().is_synchronized


def test_of_two_with_one_anchor_the_second_is_refused() -> None:
    assert codes(create(user("a1", "ada"), user("a1", "grace"))) == {2: CONFLICT}
    assert User.objects.get().user_principal_name == "ada@corp.example"


def test_an_object_with_the_anchor_is_taken_over() -> None:
    create(user("a1", "ada"))
    known = User.objects.get()
    [result] = create(user("a1", "ada", Department="R&D"))
    assert (result.object_id, result.error_code) == (known.pk, "")
    assert User.objects.get().department == "R&D"


def test_a_name_that_another_user_holds_is_refused_or_parked() -> None:
    create(user("a1", "ada"))
    assert codes(create(user("a2", "ada"), user("a3", "grace"))) == {1: CONFLICT}
    [parked] = create(user("a4", "ada"), policy=MatchPolicy())
    assert parked.object_id is not None
    assert "parked" in parked.detail
    assert User.objects.count() == 3


def test_an_address_that_an_object_of_another_type_holds_is_refused() -> None:
    address = {"ProxyAddresses": ["SMTP:team@corp.example"]}
    create((MemberKind.GROUP, "g1", address))
    assert codes(create(user("a1", "team", **address), user("a2", "ada"))) == {1: OTHER_TYPE}


def test_one_without_an_anchor_is_refused_alone() -> None:
    assert codes(create(user(None, "ada"), user("a2", "grace"))) == {1: MISSING_VALUES}
    assert User.objects.get().immutable_id == "a2"


@pytest.mark.parametrize(
    "unfit",
    [{"AccountEnabled": "perhaps"}, {"UserPrincipalName": "".join(uuid4().hex for _ in range(200))}],
    ids=["no truth value", "too long for an index"],
)
def test_a_value_that_does_not_fit_fails_its_object_alone(unfit: dict[str, str]) -> None:
    told = create(user("a1", "ada"), user("a2", "grace", **unfit), user("a3", "joan"))
    assert {key: code for key, code in codes(told).items() if code} == {2: INVALID}
    assert set(User.objects.values_list("immutable_id", flat=True)) == {"a1", "a3"}

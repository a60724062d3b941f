"""Why an object is, or is not, in the target, from what is stored."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from provisioning.models import Change, Configuration, ObjectType, SourceObject
from provisioning.services import configurations, explaining
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, Resource, changed, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def explain(api: APIClient, bench: Bench, identifier: str) -> dict[str, Any]:
    answer = api.get(f"/api/v1/configurations/{bench.configuration.pk}/explain", {"object": identifier})
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def verdict(api: APIClient, bench: Bench, resource: Resource) -> str:
    return str(explain(api, bench, resource["id"])["verdict"]["code"])


def stored(configuration: Configuration, number: int) -> SourceObject:
    return SourceObject(
        configuration=configuration,
        guid=uuid4(),
        object_type=ObjectType.USER,
        dn=f"cn={number},dc=corp",
        user_principal_name=f"{number}@corp.example",
        attributes_hash=b"",
        wanted_hash=b"",
        updated_at=now(),
    )


def only(bench: Bench, attribute: str, operator: str, *values: str) -> None:
    """Let users through that satisfy one clause."""
    document = Configuration.objects.get(pk=bench.configuration.pk).schema
    clause = {
        "sourceOperandName": attribute,
        "operatorName": operator,
        "targetOperand": {"values": list(values)},
    }
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        if mapping["sourceObjectName"] == "user":
            mapping["scope"] = {"groups": [{"name": "Staff", "clauses": [clause]}]}
    configurations.change_schema(bench.configuration, document, now())


def test_an_object_is_found_by_guid_dn_and_upn(api: APIClient) -> None:
    bench = Bench.set_up()
    ada = user("ada", department="R&D")
    bench.cycle([ada])
    for identifier in (ada["id"], "cn=ADA,ou=staff,dc=corp,dc=example", "Ada@corp.example"):
        found = explain(api, bench, identifier)
        assert found["source"]["objectGuid"] == ada["id"]
        assert found["verdict"]["code"] == "Synchronized"
    department = next(row for row in found["attributes"] if row["target"] == "Department")
    assert "[department]" in department["expression"]
    assert (department["value"], department["exported"]) == ("R&D", "R&D")
    assert (found["link"]["state"], found["lastExport"]["action"]) == ("active", "Create")
    assert found["accountState"]["cause"] == "enabled"


def test_a_name_is_looked_up_by_an_index(django_assert_num_queries: Any) -> None:
    configuration = Bench.set_up().configuration
    SourceObject.objects.bulk_create(stored(configuration, number) for number in range(3_000))
    names = {"CN=7,DC=corp": "provisioning_source_dn", "7@corp.example": "provisioning_source_upn"}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE provisioning_sourceobject")
        for name, index in names.items():
            with django_assert_num_queries(1) as asked:
                assert explaining.find(configuration, name) is not None
            cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
            assert index in str(cursor.fetchall())


def test_an_object_that_nobody_reported_is_said_to_be_unknown(api: APIClient) -> None:
    bench = Bench.set_up()
    found = explain(api, bench, "nobody@corp.example")
    assert (found["known"], found["verdict"]["code"]) == (False, "NeverSeen")


def test_a_clause_that_keeps_an_object_out_is_named_with_its_value(api: APIClient) -> None:
    bench = Bench.set_up()
    only(bench, "department", "EQUALS", "Sales")
    ada = user("ada", department="R&D")
    bench.cycle([ada])
    found = explain(api, bench, ada["id"])
    assert found["verdict"]["code"] == "FilteredOut"
    [clause] = found["scope"]["clauses"]
    assert (clause["attribute"], clause["actual"], clause["passed"]) == ("department", "R&D", False)


def test_each_way_to_go_has_its_verdict(api: APIClient) -> None:
    bench = Bench.set_up()
    people = [user("ada"), user("bob"), user("eve")]
    bench.cycle(people)
    bench.cycle([tombstone(people[0]), tombstone(people[1], "outOfScope")])
    bench.cycle([], mode="initial")
    assert [verdict(api, bench, one) for one in people] == [
        "DeletedInActiveDirectory",
        "OutsideTheContainers",
        "NotSeenAnyMore",
    ]


def test_a_failing_object_tells_its_error_and_its_next_try(api: APIClient) -> None:
    bench = Bench.set_up(parks_duplicates=False)
    first, second = user("ada"), user("ada2", userPrincipalName="ada@corp.example")
    odd = user("odd", pwdLastSet=["no", "number"])
    bench.cycle([first])
    bench.cycle([second, odd])
    found = explain(api, bench, second["id"])
    assert found["verdict"]["code"] == "InEscrow"
    assert (found["escrow"]["errorCode"], found["link"]) == ("AttributeValueMustBeUnique", None)
    assert found["escrow"]["retryAt"] > timezone.now().isoformat()
    found = explain(api, bench, odd["id"])
    assert found["verdict"]["code"] == "MappingFails"
    assert any(row["errorCode"] for row in found["attributes"])


def test_a_held_removal_is_told(api: APIClient) -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada = user("ada")
    bench.cycle([ada])
    bench.cycle([tombstone(ada)])
    assert verdict(api, bench, ada) == "Held"


def test_an_expired_account_is_told_with_its_cause(api: APIClient) -> None:
    bench = Bench.set_up()
    soon = now() + timedelta(hours=1)
    filetime = int(soon.timestamp() * 10**7) + 116444736000000000
    ada = user("ada", accountExpires=filetime, userAccountControl=512)
    bench.cycle([ada])
    assert explain(api, bench, ada["id"])["accountState"]["changesAt"] is not None
    bench.cycle([changed(ada, accountExpires=1)])
    assert explain(api, bench, ada["id"])["accountState"]["cause"] == "expired"


def test_a_redacted_value_is_never_shown(api: APIClient) -> None:
    bench = Bench.set_up()
    document = Configuration.objects.get(pk=bench.configuration.pk).schema
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        for row in mapping["attributeMappings"]:
            if row["targetAttributeName"] == "Department":
                row["source"] = {"type": "Function", "expression": "Redact([department])"}
    configurations.change_schema(bench.configuration, document, now())
    bench.cycle([user("ada", department="Top secret")])
    assert Change.objects.exists()
    answer = api.get(
        f"/api/v1/configurations/{bench.configuration.pk}/explain", {"object": "ada@corp.example"}
    )
    assert b"Top secret" not in answer.content
    row = next(one for one in answer.json()["attributes"] if one["target"] == "Department")
    assert (row["value"], row["exported"]) == ("[Redact]", "[Redact]")


def test_an_explanation_needs_an_object_and_the_right_to_see_it(api: APIClient) -> None:
    bench = Bench.set_up()
    address = f"/api/v1/configurations/{bench.configuration.pk}/explain"
    assert api.get(address).json()["code"] == "InvalidInput"
    assert APIClient().get(address, {"object": "x"}).status_code == 401

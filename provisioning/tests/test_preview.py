"""What a changed document would do, before it is saved and without writing anything."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import InternalError
from rest_framework.test import APIClient

from provisioning.models import Configuration, Escrow, SourceObject
from provisioning.services import configurations
from provisioning.services.clock import now
from provisioning.store import previews
from provisioning.tests.answering import Bench, changed, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def everything() -> dict[str, list[Any]]:
    """Every row of every table of ours, with the transaction that wrote it last."""
    tables = [model._meta.db_table for label in ("provisioning", "directory") for model in _models(label)]
    found: dict[str, list[Any]] = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT xmin::text, t::text FROM "{table}" t ORDER BY 2')
            found[table] = cursor.fetchall()
    return found


def _models(label: str) -> list[Any]:
    # A partitioned table has no xmin of its own.
    return [model for model in apps.get_app_config(label).get_models() if model._meta.managed]


def users_of(document: dict[str, Any]) -> dict[str, Any]:
    mappings = document["synchronizationRules"][0]["objectMappings"]
    found: dict[str, Any] = next(one for one in mappings if one["sourceObjectName"] == "user")
    return found


def document_of(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(Configuration.objects.get(pk=bench.configuration.pk).schema)
    return found


def scoped(bench: Bench, attribute: str, value: str) -> dict[str, Any]:
    document = document_of(bench)
    clause = {
        "sourceOperandName": attribute,
        "operatorName": "EQUALS",
        "targetOperand": {"values": [value]},
    }
    users_of(document)["scope"] = {"groups": [{"name": "Staff", "clauses": [clause]}]}
    return document


def preview(api: APIClient, bench: Bench, document: dict[str, Any], **more: Any) -> dict[str, Any]:
    address = f"/api/v1/configurations/{bench.configuration.pk}/preview"
    answer = api.post(address, {"schema": document, **more}, format="json")
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_a_narrower_scope_shows_whom_it_deletes_and_writes_nothing(api: APIClient) -> None:
    bench = Bench.set_up(delete_threshold=2)
    bench.cycle([user("ada", department="Sales"), user("bob", department="R&D"), user("eve")])
    before = everything()
    found = preview(api, bench, scoped(bench, "department", "Sales"))
    assert found["counts"] == {"user": {"delete": 2}}
    assert {one["distinguishedName"].split(",")[0] for one in found["changes"]} == {"CN=bob", "CN=eve"}
    assert found["wouldBeHeldFor"] == ["2 objects, where the threshold is 2"]
    assert found["limits"] == []
    assert everything() == before


def test_what_was_previewed_is_what_then_happens(api: APIClient) -> None:
    bench = Bench.set_up()
    people = [user("ada", department="Sales"), user("bob", department="R&D")]
    bench.cycle(people)
    document = scoped(bench, "department", "Sales")
    for row in users_of(document)["attributeMappings"]:
        if row["targetAttributeName"] == "Department":
            row["source"] = {"type": "Function", "expression": "ToUpper([department],)"}
    found = preview(api, bench, document)
    assert found["counts"] == {"user": {"delete": 1, "update": 1}}
    [update] = [one for one in found["changes"] if one["action"] == "update"]
    assert (update["old"], update["new"]) == ({"Department": "Sales"}, {"Department": "SALES"})
    configurations.change_schema(bench.configuration, document, now())
    cycle = bench.evaluate()
    assert sorted(cycle.changes.values_list("kind", flat=True)) == ["delete", "update"]


def test_a_wider_scope_shows_whom_it_brings(api: APIClient) -> None:
    bench = Bench.set_up()
    document = document_of(bench)
    configurations.change_schema(bench.configuration, scoped(bench, "department", "Sales"), now())
    bench.cycle([user("ada", department="Sales"), user("bob", department="R&D")])
    found = preview(api, bench, document)
    assert found["counts"] == {"user": {"create": 1}}
    assert found["changes"][0]["new"]["DisplayName"] == "bob"


def test_attributes_that_nobody_has_read_are_named(api: APIClient) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    found = preview(api, bench, scoped(bench, "carLicense", "ZH 1"))
    assert found["limits"] == ["Attributes of user that were not read so far: carLicense."]


def test_a_document_that_could_not_be_run_is_refused(api: APIClient) -> None:
    bench = Bench.set_up()
    address = f"/api/v1/configurations/{bench.configuration.pk}/preview"
    answer = api.post(address, {"schema": {"synchronizationRules": "none"}}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "SchemaInvalid")


def test_more_changes_than_asked_for_are_counted_and_not_listed(api: APIClient) -> None:
    bench = Bench.set_up()
    bench.cycle([user(f"user{number}") for number in range(5)])
    found = preview(api, bench, scoped(bench, "department", "Sales"), limit=2)
    assert (found["counts"], len(found["changes"])) == ({"user": {"delete": 5}}, 2)


def test_redacted_values_are_hidden_in_a_preview(api: APIClient) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada", department="Top secret")])
    document = document_of(bench)
    for row in users_of(document)["attributeMappings"]:
        if row["targetAttributeName"] == "Department":
            row["source"] = {"type": "Function", "expression": 'Redact(Append([department],"!"))'}
    found = preview(api, bench, document)
    assert found["counts"] == {"user": {"update": 1}}
    assert "Top secret" not in str(found)


def test_the_next_cycle_is_previewed_from_what_is_marked(api: APIClient) -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada, bob = user("ada"), user("bob")
    bench.cycle([ada, bob])
    address = f"/api/v1/configurations/{bench.configuration.pk}/preview"
    assert api.get(address).json()["counts"] == {}
    bench.cycle([tombstone(ada), changed(bob, title="Head")])
    before = everything()
    assert api.get(address).json()["counts"] == {"user": {"delete": 1, "update": 1}}
    assert everything() == before


def test_what_waits_in_escrow_is_not_in_the_next_cycle(api: APIClient) -> None:
    bench = Bench.set_up(parks_duplicates=False)
    bench.cycle([user("ada")], [user("ada2", userPrincipalName="ada@corp.example")])
    assert Escrow.objects.exists()
    address = f"/api/v1/configurations/{bench.configuration.pk}/preview"
    assert api.get(address).json()["counts"] == {}
    Escrow.objects.update(retry_at=now())
    assert api.get(address).json()["counts"] == {"user": {"create": 1}}


def test_the_database_refuses_to_write_during_a_preview() -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    with pytest.raises(InternalError), previews.nothing_is_written():
        SourceObject.objects.update(dn="")
    assert not transaction.get_connection().in_atomic_block

"""A change of scope or mapping is worked out from what is stored; agents are asked only for what is not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from agents.models import BusRequest
from directory.models import Contact, Membership, User
from provisioning.models import Configuration, CycleKind, Link, ScopeName, SourceObject
from provisioning.services import configurations, previewing, removing
from provisioning.services.hints import Hint, Step
from provisioning.tests.answering import (
    Bench,
    changed,
    container,
    group,
    guid_of,
    membership_change,
    run_to_end,
    tombstone,
    user,
)
from provisioning_agent.wire.requests import ReadRequest

pytestmark = pytest.mark.django_db(transaction=True)

OPS, SALES = "OU=Ops,DC=corp,DC=example", "OU=Sales,DC=corp,DC=example"
OPS_GUID, SALES_GUID, DESK_GUID = uuid4(), uuid4(), uuid4()
UNITS = [
    container(OPS, OPS_GUID),
    container(SALES, SALES_GUID),
    container(f"OU=Desk,{SALES}", DESK_GUID),
]
ADA = user("ada", department="R&D", distinguishedName=f"CN=ada,{OPS}")
BOB = user("bob", department="Sales", distinguishedName=f"CN=bob,OU=Desk,{SALES}")
PEOPLE = [ADA, BOB]


class Asked:
    """Counts the requests that were put onto the bus: every one, answered ones are dropped."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[ReadRequest] = []
        save = BusRequest.save

        def noted(row: BusRequest, *args: Any, **kwargs: Any) -> None:
            if row._state.adding:
                self.requests.append(ReadRequest.from_dict(row.body))
            save(row, *args, **kwargs)

        monkeypatch.setattr(BusRequest, "save", noted)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    return Asked(monkeypatch)


def document_of(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(Configuration.objects.get(pk=bench.configuration.pk).schema)
    return found


def change(bench: Bench, document: dict[str, Any]) -> dict[str, Any]:
    """Preview, then save; what the preview told."""
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    told = previewing.of_document(configuration, document, timezone.now(), 10)
    configurations.change_schema(configuration, document, timezone.now())
    return told


def next_of(bench: Bench) -> dict[str, Any]:
    """What the next cycle would do, as the preview tells it."""
    configuration = Configuration.objects.get(pk=bench.configuration.pk)
    counts: dict[str, Any] = previewing.of_next_cycle(configuration, timezone.now(), 0)["counts"]
    return counts


def users_of(document: dict[str, Any]) -> dict[str, Any]:
    mappings = document["synchronizationRules"][0]["objectMappings"]
    found: dict[str, Any] = next(one for one in mappings if one["sourceObjectName"] == "user")
    return found


def with_clause(document: dict[str, Any], attribute: str, value: str) -> dict[str, Any]:
    operand = {"values": [value]}
    clause = {"sourceOperandName": attribute, "operatorName": "EQUALS", "targetOperand": operand}
    users_of(document)["scope"] = {"groups": [{"name": "Staff", "clauses": [clause]}]}
    return document


def with_containers(document: dict[str, Any], *guids: UUID) -> dict[str, Any]:
    wanted = [str(guid) for guid in guids]
    document["synchronizationRules"][0]["containerFilter"] = {"includedContainers": wanted}
    return document


def mapped(document: dict[str, Any], target: str, expression: str) -> dict[str, Any]:
    for row in users_of(document)["attributeMappings"]:
        if row["targetAttributeName"] == target:
            row["source"] = {"type": "Function", "expression": expression}
    return document


def names() -> set[str]:
    return {str(one.display_name) for one in User.objects.filter(deleted_at__isnull=True)}


def test_a_changed_clause_asks_nobody(asked: Asked) -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    everybody = document_of(bench)
    count = len(asked.requests)
    told = change(bench, with_clause(document_of(bench), "department", "Sales"))
    assert (told["counts"], told["limits"], told["readsEverything"]) == ({"user": {"delete": 1}}, [], False)
    assert next_of(bench) == told["counts"]
    cycle = bench.evaluate()
    assert (cycle.step, cycle.count_exported, names()) == ("done", 1, {"bob"})
    assert next_of(bench) == {}
    assert change(bench, everybody)["counts"] == {"user": {"restore": 1}}
    bench.evaluate()
    assert names() == {"ada", "bob"}
    assert len(asked.requests) == count


def test_a_changed_mapping_asks_nobody_and_the_watermark_goes_on(asked: Asked) -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    watermark, count = bench.job.watermark, len(asked.requests)
    told = change(bench, mapped(document_of(bench), "Department", "ToUpper([department],)"))
    assert (told["counts"], told["readsEverything"]) == ({"user": {"update": 1}}, False)
    cycle = bench.evaluate()
    assert cycle.changes.count() == 1
    assert User.objects.get(display_name="bob").department == "SALES"
    assert (bench.job.watermark, len(asked.requests)) == (watermark, count)
    assert bench.begin().kind == CycleKind.DELTA
    assert (asked.requests[-1].watermark, asked.requests[-1].is_covered) == (watermark, True)


def test_no_agent_is_needed_for_it() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    bench.agent.delete()
    change(bench, with_clause(document_of(bench), "department", "Sales"))
    bench.evaluate()
    assert names() == {"bob"}


def test_a_narrower_container_asks_nobody_and_a_wider_one_reads_everything(asked: Asked) -> None:
    bench = Bench.set_up()
    team = group("team", [guid_of(ADA), guid_of(BOB)])
    bench.cycle([*UNITS, *PEOPLE, changed(team, distinguishedName=f"CN=team,{SALES}")])
    count = len(asked.requests)
    told = change(bench, with_containers(document_of(bench), SALES_GUID))
    assert (told["counts"], told["limits"]) == ({"user": {"delete": 1}}, [])
    bench.evaluate()
    assert (names(), Membership.objects.count(), len(asked.requests)) == ({"bob"}, 1, count)

    # A container in a container, before anybody was asked about the first.
    assert change(bench, with_containers(document_of(bench), DESK_GUID))["counts"] == {"group": {"delete": 1}}
    bench.evaluate()
    assert len(asked.requests) == count
    cycle = bench.cycle([changed(BOB, title="Head")])
    assert (cycle.kind, asked.requests[-1].containers) == ("delta", (str(DESK_GUID),))

    told = change(bench, with_containers(document_of(bench), SALES_GUID, OPS_GUID))
    assert told["readsEverything"] is True
    assert told["limits"] == [
        f"The container {dn} ({guid}) was not read so far."
        for dn, guid in ((SALES, SALES_GUID), (OPS, OPS_GUID))
    ]
    cycle = bench.cycle([*UNITS, *PEOPLE])
    assert (cycle.kind, asked.requests[-1].watermark, names()) == ("initial", None, {"ada", "bob"})


def test_a_container_that_was_renamed_meanwhile_keeps_its_people() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    moved = changed(ADA, distinguishedName="CN=ada,OU=Operations,DC=corp,DC=example")
    bench.cycle([container("OU=Operations,DC=corp,DC=example", OPS_GUID), moved, tombstone(UNITS[2])])
    assert not ScopeName.objects.filter(guid=DESK_GUID).exists()
    change(bench, with_containers(document_of(bench), OPS_GUID))
    bench.evaluate()
    assert names() == {"ada"}


def test_containers_that_a_full_read_does_not_name_are_forgotten_and_all_with_their_configuration() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    assert ScopeName.objects.count() == 3
    bench.cycle([*UNITS[:2], *PEOPLE], mode="initial")
    assert not ScopeName.objects.filter(guid=DESK_GUID).exists()
    removing.remove(Configuration.objects.get(pk=bench.configuration.pk))
    assert not ScopeName.objects.exists()


def test_what_is_not_known_of_a_container_is_read() -> None:
    bench = Bench.set_up()
    bench.cycle(PEOPLE)
    told = change(bench, with_containers(document_of(bench), OPS_GUID))
    assert told["readsEverything"] is True
    assert "is not known before everything is read" in told["limits"][0]
    assert bench.start().kind == CycleKind.INITIAL


def test_an_attribute_that_is_not_stored_is_read(asked: Asked) -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    told = change(bench, mapped(document_of(bench), "Department", "[carLicense]"))
    assert told["limits"] == ["Attributes of user that were not read so far: carLicense."]
    cycle = bench.cycle([changed(ADA, carLicense="ZH 1"), BOB])
    assert (cycle.kind, "carLicense" in asked.requests[-1].object_types[0].attributes) == ("initial", True)
    assert User.objects.get(display_name="ada").department == "ZH 1"


def test_an_attribute_that_was_given_up_and_is_wanted_again_is_read_again() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    before = document_of(bench)
    change(bench, mapped(document_of(bench), "Department", '"All"'))
    bench.evaluate()
    # Nobody has been asked for less yet.
    assert change(bench, before)["readsEverything"] is False
    bench.evaluate()
    change(bench, mapped(document_of(bench), "Department", '"All"'))
    bench.cycle([changed(ADA, department=None)])
    assert change(bench, before)["limits"] == [
        "Attributes of user that were not read so far: department.",
    ]
    assert bench.start().kind == CycleKind.INITIAL


def test_a_type_that_is_not_mapped_any_more_leaves() -> None:
    bench = Bench.set_up()
    friend = user("friend")
    friend["meta"] = {"resourceType": "contact"}
    bench.cycle([*UNITS, ADA, friend])
    document = document_of(bench)
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        mapping["enabled"] = mapping["sourceObjectName"] != "contact"
    assert change(bench, document)["counts"] == {"contact": {"delete": 1}}
    bench.evaluate()
    assert Contact.objects.get().deleted_at is not None


def test_a_switch_of_the_mapping_takes_effect_for_what_it_had_kept_back() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    document = document_of(bench)
    users_of(document)["flowTypes"] = "Add, Update"
    change(bench, document)
    bench.cycle([tombstone(ADA)])
    assert names() == {"ada", "bob"}
    users_of(document)["flowTypes"] = "Add, Update, Delete"
    assert change(bench, document)["counts"] == {"user": {"delete": 1}}
    bench.evaluate()
    assert names() == {"bob"}


def test_a_change_while_a_cycle_reads_is_worked_out_when_it_has_read() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    cycle = bench.begin()
    change(bench, with_clause(document_of(bench), "department", "Sales"))
    bench.answer([changed(BOB, title="Head")], mode="delta")
    run_to_end([Hint(Step.INGEST, cycle.pk)])
    assert names() == {"bob"}
    assert bench.start().kind == CycleKind.DELTA


def test_expiry_that_is_switched_on_needs_an_attribute_that_was_not_read() -> None:
    bench = Bench.set_up(expire_accounts=False)
    bench.cycle([*UNITS, *PEOPLE])
    Configuration.objects.update(expire_accounts=True)
    assert bench.cycle([changed(ADA, accountExpires=1), BOB], mode="initial").kind == CycleKind.INITIAL
    assert User.objects.get(display_name="ada").attributes["AccountEnabled"] is False
    Configuration.objects.update(expire_accounts=False)
    bench.evaluate()
    assert User.objects.get(display_name="ada").attributes["AccountEnabled"] is True


def test_a_guarded_evaluation_is_held_and_a_later_change_drops_it() -> None:
    bench = Bench.set_up(delete_threshold=1)
    team = group("team", [guid_of(ADA)])
    bench.cycle([*UNITS, *PEOPLE, team])
    bench.cycle([membership_change(team, added=[guid_of(BOB)])])
    before = document_of(bench)
    change(bench, with_clause(document_of(bench), "department", "Sales"))
    assert bench.evaluate().step == "held"
    change(bench, before)
    assert bench.job.state == "active"
    assert bench.evaluate().changes.count() == 0
    assert (names(), Membership.objects.count()) == ({"ada", "bob"}, 2)


def test_a_quarantined_job_is_not_freed_by_what_asks_nobody() -> None:
    bench = Bench.set_up()
    bench.cycle([*UNITS, *PEOPLE])
    change(bench, with_clause(document_of(bench), "department", "Sales"))
    job = bench.job
    job.state, job.state_since = "quarantined", timezone.now()
    job.save()
    bench.evaluate()
    assert (bench.job.state, names()) == ("quarantined", {"bob"})
    bench.cycle([])
    assert bench.job.state == "active"


def test_what_the_mapping_clears_is_no_attribute_of_a_new_object() -> None:
    bench = Bench.set_up()
    emptied = 'IIF([department]="Sales", "", [department])'
    configurations.change_schema(
        bench.configuration, mapped(document_of(bench), "Department", emptied), timezone.now()
    )
    bench.cycle(
        [user("ada", department="Sales"), user("bob", department="R&D"), user("eve", department='":null')]
    )
    has_nulls = dict(SourceObject.objects.values_list("guid", "has_nulls"))
    held = {
        one.source.guid: one.exported.get("Department", "absent")
        for one in Link.objects.select_related("source")
    }
    departments = {
        str(one.display_name): one.attributes.get("Department", "absent") for one in User.objects.all()
    }
    assert departments == {"ada": "absent", "bob": "R&D", "eve": '":null'}
    assert sorted(held.values()) == ['":null', "R&D", "absent"]
    assert {held[guid] for guid, has in has_nulls.items() if not has} == {"R&D"}

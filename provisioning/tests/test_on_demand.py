"""Provisioning on demand where Active Directory can not be brought to play along, and beside other cycles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from agents.bus import leases, pages
from provisioning.models import Configuration, Cycle, CycleStep, Link, SeenObject, SourceObject
from provisioning.services import configurations, planning
from provisioning.services import ingest as ingesting
from provisioning.services.clock import now
from provisioning.services.hints import Hint
from provisioning.tests import states
from provisioning.tests.answering import Bench, Resource, changed, group, guid_of, run_one, run_to_end, user
from provisioning.tests.drifting import REPAIR, Company, begin, execute, id_of
from provisioning_agent.wire.lookups import Lookup, LookupStatus
from provisioning_agent.wire.pages import AD_SCHEMA, Page, encode_page
from provisioning_agent.wire.shape import DELETIONS_COMPARED

pytestmark = pytest.mark.django_db(transaction=True)

DUPLICATES = "HybridSynchronizationActiveDirectoryUnexpectedDuplicateEntriesFound"
SECRET = "Top secret"


def found(resource: Resource, status: LookupStatus = LookupStatus.FOUND, *, in_scope: bool = True) -> Page:
    """What an agent answers about one object."""
    dn, kind = resource[AD_SCHEMA]["distinguishedName"], resource["meta"]["resourceType"]
    lookup = Lookup("asked", status, resource["id"], dn, kind, in_scope)
    resources = [resource] if status is LookupStatus.FOUND else []
    return Page(resources=resources, mode="objects", complete=True, lookups=[lookup])


@contextmanager
def answered(bench: Bench, page: Page) -> Iterator[None]:
    """The next request is answered with this page, by a thread of its own."""
    thread = threading.Thread(target=_answer, args=(bench, page))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _answer(bench: Bench, page: Page) -> None:
    try:
        until = time.monotonic() + 10
        while (lease := leases.claim(bench.agent.pk, timezone.now())) is None and time.monotonic() < until:
            time.sleep(0.01)
        assert lease is not None
        pages.store_page(
            lease.request_id, bench.agent.pk, lease.attempt, 1, encode_page(page), timezone.now()
        )
    finally:
        connection.close()


def ask(api: APIClient, bench: Bench, page: Page, **how: Any) -> tuple[int, dict[str, Any]]:
    with answered(bench, page):
        answer = api.post(
            f"/api/v1/configurations/{bench.configuration.pk}/provision-on-demand",
            {"object": "asked", **how},
            format="json",
        )
    return answer.status_code, answer.json()


def planned_but_not_written(bench: Bench, *resources: Resource) -> Callable[[], None]:
    """A cycle that has planned and writes nothing yet; calling the answer lets it go on."""
    cycle = bench.begin()
    bench.answer(list(resources), mode=str(cycle.kind))
    [plan] = ingesting.ingest(cycle.pk)
    waiting: list[Hint] = planning.plan(plan.cycle)
    return lambda: run_to_end(waiting)


def test_two_objects_of_one_name_are_refused(api: APIClient) -> None:
    bench = Bench.set_up()
    status, body = ask(api, bench, found(user("ada"), LookupStatus.AMBIGUOUS))
    assert (status, body["code"]) == (409, DUPLICATES)
    assert not SourceObject.objects.exists()


def test_an_agent_that_reads_the_whole_domain_instead_is_too_old(api: APIClient) -> None:
    bench = Bench.set_up()
    page = Page(resources=[user("ada")], mode="initial", complete=True, watermark="w")
    status, body = ask(api, bench, page)
    assert (status, body["code"]) == (502, "AgentTooOld")
    assert not SourceObject.objects.exists()


def test_an_agent_that_is_silent_is_not_waited_for_forever(api: APIClient, settings: Settings) -> None:
    settings.ON_DEMAND_TIMEOUT_S = 1
    bench = Bench.set_up()
    answer = api.post(
        f"/api/v1/configurations/{bench.configuration.pk}/provision-on-demand",
        {"object": "ada"},
        format="json",
    )
    assert (answer.status_code, answer.json()["code"]) == (504, "OnDemandTimeOut")
    assert leases.claim(bench.agent.pk, timezone.now()) is None


def test_it_works_before_the_first_cycle_and_leaves_the_watermark_alone(api: APIClient) -> None:
    bench = Bench.set_up()
    status, body = ask(api, bench, found(user("ada")))
    assert (status, body["action"], body["status"]) == (200, "Create", "Success")
    job = bench.job
    assert (job.watermark, job.watermark_at, job.current_cycle) == ("", None, None)
    assert bench.cycle([user("ada", SourceObject.objects.get().guid)]).count_planned == 0


def test_it_waits_for_a_cycle_that_is_about_to_write_the_object(api: APIClient, settings: Settings) -> None:
    settings.ON_DEMAND_TIMEOUT_S = 1
    bench = Bench.set_up()
    ada = user("ada", department="Sales")
    bench.cycle([ada])
    newer = changed(ada, department="Research")
    go_on = planned_but_not_written(bench, newer)
    newest = changed(ada, department="Board")
    status, body = ask(api, bench, found(newest))
    assert (status, body["code"]) == (409, "CycleInTheWay")
    go_on()
    assert ask(api, bench, found(newest))[1]["status"] == "Success"
    assert Link.objects.get().exported["Department"] == "Board"


def test_another_object_does_not_wait_for_that_cycle(api: APIClient) -> None:
    bench = Bench.set_up()
    ada, bob = user("ada", department="Sales"), user("bob")
    bench.cycle([ada, bob])
    go_on = planned_but_not_written(bench, changed(ada, department="Research"))
    under_way = bench.job.current_cycle_id
    assert under_way is not None
    assert ask(api, bench, found(changed(bob, department="Board")))[1]["action"] == "Update"
    assert bench.job.current_cycle_id == under_way
    go_on()
    assert Cycle.objects.get(pk=under_way).step == CycleStep.DONE
    assert {link.exported["Department"] for link in Link.objects.all()} == {"Research", "Board"}


def test_a_full_read_under_way_does_not_take_a_new_object_for_gone(api: APIClient) -> None:
    bench = Bench.set_up()
    ada, new = user("ada"), user("new")
    cycle = bench.begin()
    lease = leases.claim(bench.agent.pk, timezone.now())
    assert lease is not None
    assert ask(api, bench, found(new))[1]["action"] == "Create"
    page = Page(resources=[ada], mode="initial", complete=True, watermark="w1")
    pages.store_page(lease.request_id, bench.agent.pk, lease.attempt, 1, encode_page(page), timezone.now())
    run_to_end(ingesting.ingest(cycle.pk))
    assert Link.objects.filter(state="active").count() == 2


def test_nor_does_a_delta_that_names_everybody(api: APIClient) -> None:
    bench = Bench.set_up()
    ada, new = user("ada"), user("new")
    bench.cycle([ada])
    cycle = bench.begin()
    lease = leases.claim(bench.agent.pk, timezone.now())
    assert lease is not None
    assert ask(api, bench, found(new))[1]["action"] == "Create"
    page = Page(resources=[ada], mode="delta", complete=True, watermark="w2", notes=[DELETIONS_COMPARED])
    pages.store_page(lease.request_id, bench.agent.pk, lease.attempt, 1, encode_page(page), timezone.now())
    run_to_end(ingesting.ingest(cycle.pk))
    assert Link.objects.filter(state="active").count() == 2
    assert not SeenObject.objects.exists()


def test_the_groups_of_a_new_member_get_it_with_the_next_cycle(api: APIClient) -> None:
    bench = Bench.set_up()
    ada = user("ada")
    staff = group("staff", [guid_of(ada)])
    bench.cycle([staff])
    ask(api, bench, found(ada))
    assert bench.cycle([]).count_exported == 1


def test_what_a_mapping_redacts_is_in_no_step(api: APIClient) -> None:
    bench = Bench.set_up()
    document = Configuration.objects.get(pk=bench.configuration.pk).schema
    for mapping in document["synchronizationRules"][0]["objectMappings"]:
        for row in mapping["attributeMappings"]:
            if row["targetAttributeName"] == "Department":
                row["source"] = {"type": "Function", "expression": "Redact([department])"}
    configurations.change_schema(bench.configuration, document, now())
    _, body = ask(api, bench, found(user("ada", department=SECRET)))
    assert body["status"] == "Success"
    assert SECRET not in str(body)
    assert "[Redact]" in str(body)


def test_a_plan_that_the_guard_would_hold_is_refused(api: APIClient) -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada = user("ada")
    bench.cycle([ada])
    status, body = ask(api, bench, found(ada, in_scope=False))
    assert (status, body["code"]) == (409, "TooManyDeletes")
    assert Link.objects.get().state == "active"


def test_the_console_shows_four_steps(api: APIClient) -> None:
    bench = Bench.set_up()
    browser = Client()
    browser.force_login(User.objects.get(username="admin"))
    address = reverse("admin:configuration_provision", args=[bench.configuration.pk])
    assert browser.get(address, {"object": "ada@corp.example"}).status_code == 200
    with answered(bench, found(user("ada", department="R&D"))):
        shown = browser.post(address, {"object": "ada@corp.example"}).content.decode()
    for title in ("1. Import", "2. Scope", "3. Match", "4. Action", "Create: Success", "R&amp;D"):
        assert title in shown


def test_an_object_is_provisioned_between_two_slices_of_a_reconciliation(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.services.reconciling.CHUNK", 1)
    monkeypatch.setattr("provisioning.services.reconciling._SLICE_S", 0.0)
    company = Company()
    right = states.held()
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    run, [hint] = begin(company.bench, REPAIR)
    [following] = run_one(hint)
    status, told = ask(api, company.bench, found(changed(company.ada, department="New")))
    assert (status, told["action"]) == (200, "Update")
    assert company.bench.job.current_cycle_id == hint.cycle
    run_to_end([following])
    run.refresh_from_db()
    assert (run.state, run.counts) == ("done", {"deleted": {"user": 1}})
    assert states.held() == {**right, "ada": ("New", *right["ada"][1:])}
    assert not SeenObject.objects.exists()

"""Undoing a cycle through REST and on the console's pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from rest_framework.test import APIClient

from directory.models import User as Account
from provisioning import tasks
from provisioning.models import Cycle, CycleStep, JobState
from provisioning.tests.answering import (
    Bench,
    changed,
    group,
    guid_of,
    membership_change,
    run_to_end,
    tombstone,
    user,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, Cycle]:
    """A cycle that did a bit of everything; hints are followed at once instead of by a worker."""
    monkeypatch.setattr(tasks, "send", run_to_end)
    bench = Bench.set_up()
    people = [user(name, title="Clerk") for name in ("ada", "bob", "eve")]
    ada, bob, eve = people
    team = group("team", [guid_of(ada)])
    bench.cycle([*people, team])
    cycle = bench.cycle(
        [
            changed(ada, title="Head"),
            changed(eve, title="Head"),
            tombstone(bob),
            user("new"),
            membership_change(team, added=[guid_of(eve)]),
        ]
    )
    bench.cycle([changed(eve, title="Chief")])
    return bench, cycle


def test_rest_shows_it_lists_it_and_does_it(api: APIClient, written: tuple[Bench, Cycle]) -> None:
    bench, cycle = written
    address = f"/api/v1/cycles/{cycle.pk}/undo"
    shown = api.get(address).json()
    assert shown["counts"] == {"user": {"delete": 1, "restore": 1, "update": 1}}
    assert shown["leftAlone"] == {"user": {"ChangedSince": 1}}
    assert shown["memberships"] == {"added": 0, "removed": 1}
    assert "paused" in shown["afterwards"]
    rows = listed(api, f"{address}/objects?page_size=1")
    assert sorted(row["action"] for row in rows) == ["delete", "leave", "restore", "update"]
    update = next(row for row in rows if row["action"] == "update")
    assert (update["old"], update["new"]) == ({"JobTitle": "Head"}, {"JobTitle": "Clerk"})
    left = listed(api, f"{address}/objects?left_alone=true")
    assert [row["reason"] for row in left] == ["ChangedSince"]
    members = listed(api, f"{address}/memberships?page_size=1")
    assert [(row["is_addition"], row["member"].partition(",")[0]) for row in members] == [(False, "CN=eve")]
    assert api.post(address, {"fingerprint": "another"}, format="json").json()["code"] == "UndoHasChanged"
    answer = api.post(address, {"fingerprint": shown["fingerprint"]}, format="json")
    assert (answer.status_code, answer.json()["undoes"]) == (202, cycle.pk)
    begun = Cycle.objects.get(pk=answer.json()["id"])
    assert (begun.step, begun.count_failed) == (CycleStep.DONE, 0)
    assert Account.objects.get(display_name="ada").attributes["JobTitle"] == "Clerk"
    assert Account.objects.get(display_name="eve").attributes["JobTitle"] == "Chief"
    job = api.get(f"/api/v1/jobs/{bench.job.pk}").json()
    assert (job["state"], job["state_reason"]) == ("paused", "CycleUndone")
    assert f"#{cycle.pk}" in job["state_detail"]


def listed(api: APIClient, address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while address:
        answer = api.get(address).json()
        rows += answer["results"]
        address = answer["next"]
    return rows


def test_rest_refuses_with_a_code(api: APIClient, written: tuple[Bench, Cycle]) -> None:
    bench, cycle = written
    under_way = bench.begin()
    assert api.get(f"/api/v1/cycles/{under_way.pk}/undo").json()["code"] == "CycleNotUndoable"
    answer = api.post(f"/api/v1/cycles/{cycle.pk}/undo", {}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "CycleUnderWay")
    assert api.get(f"/api/v1/cycles/{cycle.pk}/undo/objects?cursor=x").status_code == 404


def test_the_console_shows_it_first_and_does_only_that(
    administrator: Client, written: tuple[Bench, Cycle]
) -> None:
    bench, cycle = written
    page = administrator.get(f"/admin/provisioning/cycle/{cycle.pk}/change/").content.decode()
    address = f"/admin/provisioning/cycle/{cycle.pk}/undo/"
    assert address in page
    page = administrator.get(address).content.decode()
    assert "stays so until you start it" in page
    assert "ChangedSince" in page
    assert "CN=eve" in administrator.get(f"{address}?only=conflicts").content.decode()
    found = re.search(r'name="fingerprint" value="(\w+)"', page)
    assert found is not None
    assert "UndoHasChanged" in administrator.post(address, {"fingerprint": "0"}).content.decode()
    done = administrator.post(address, {"fingerprint": found[1]}, follow=True).content.decode()
    assert f"cycle #{cycle.pk}" in done
    assert bench.job.state == JobState.PAUSED
    assert Account.objects.get(display_name="ada").attributes["JobTitle"] == "Clerk"
    assert LogEntry.objects.filter(change_message__startswith=f"Undone: cycle #{cycle.pk}").exists()
    overview = administrator.get(f"/admin/provisioning/configuration/{bench.configuration.pk}/change/")
    assert "CycleUndone" in overview.content.decode()


def test_who_may_only_look_can_not_undo(written: tuple[Bench, Cycle]) -> None:
    _, cycle = written
    viewer = User.objects.create_user("viewer", password="correct horse", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_cycle"))
    console = Client()
    console.force_login(viewer)
    address = f"/admin/provisioning/cycle/{cycle.pk}/undo/"
    assert address not in console.get(f"/admin/provisioning/cycle/{cycle.pk}/change/").content.decode()
    assert console.post(address).status_code == 403
    client = APIClient()
    client.force_authenticate(viewer)
    assert client.post(f"/api/v1/cycles/{cycle.pk}/undo", {}, format="json").status_code == 403


@pytest.fixture
def administrator(api: APIClient) -> Client:
    console = Client()
    console.force_login(User.objects.get(username="admin"))
    return console

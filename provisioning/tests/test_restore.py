"""One soft-deleted object is brought back by hand, and a person is told what cycles do with it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User as Administrator
from django.test import Client
from rest_framework.test import APIClient

from directory.models import Membership, User
from provisioning.engine.aftermath import Aftermath, after_restore
from provisioning.engine.plan import LinkStanding
from provisioning.models import ObjectType
from provisioning.services import jobs, restoring
from provisioning.services.clock import now
from provisioning.services.restoring import RestoreRefused
from provisioning.tests.answering import Bench, changed, group, guid_of, tombstone, user
from provisioning.tests.test_undo import undo

pytestmark = pytest.mark.django_db(transaction=True)


def refusal(object_id: UUID) -> RestoreRefused:
    with pytest.raises(RestoreRefused) as refused:
        restoring.restore(ObjectType.USER, object_id, now())
    return refused.value


def test_it_comes_back_with_memberships_and_reports_and_is_left_alone() -> None:
    bench = Bench.set_up()
    ada = user("ada", title="Head")
    bob = user("bob", manager={"value": ada["id"], "display": "CN=ada"})
    team = group("team", [guid_of(ada), guid_of(bob)])
    bench.cycle([ada, bob, team])
    before = User.objects.get(display_name="ada")
    bench.cycle([tombstone(ada)])
    done = restoring.restore(ObjectType.USER, before.pk, now())
    assert (done.aftermath, done.memberships) == (Aftermath.LEFT, 1)
    after = User.objects.get(display_name="ada")
    assert (after.pk, after.attributes, after.deleted_at) == (before.pk, before.attributes, None)
    assert User.objects.get(display_name="bob").manager_id == after.pk
    # Nor does a change of the group end what came back.
    bench.cycle([changed(bob, title="Clerk")])
    bench.cycle([group("team", [guid_of(bob)], guid_of(team)), changed(bob, title="Head")])
    assert set(Membership.objects.values_list("member_id", flat=True)) == {
        after.pk,
        User.objects.get(display_name="bob").pk,
    }
    # The source returns: the same object is synchronized again.
    bench.cycle([changed(ada, title="Chief"), bob])
    assert User.objects.get(pk=after.pk).attributes["JobTitle"] == "Chief"
    assert User.objects.filter(display_name="ada").count() == 1


def test_what_an_undo_deleted_is_taken_over_again_by_the_next_cycle() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([user("ada")])
    undo(cycle)
    ada = User.objects.get()
    assert restoring.restore(ObjectType.USER, ada.pk, now()).aftermath is Aftermath.TAKEN_OVER
    jobs.start(bench.job, now())
    bench.cycle([])
    assert restoring.outlook(ada.pk) is Aftermath.KEPT
    assert User.objects.get().deleted_at is None


def test_a_name_that_somebody_else_has_now_is_refused_by_name() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    old = User.objects.get()
    bench.cycle([tombstone(ada)])
    bench.cycle([user("heir", userPrincipalName="ADA@corp.example")])
    refused = refusal(old.pk)
    assert refused.code == "AttributeValueMustBeUnique"
    assert "UserPrincipalName" in str(refused)
    assert User.objects.get(pk=old.pk).deleted_at is not None


def test_what_is_not_in_the_bin_is_refused() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    found = User.objects.get()
    assert refusal(found.pk).code == "ObjectNotInBin"
    assert refusal(uuid4()).code == "ObjectNotInBin"
    bench.cycle([tombstone(ada)])
    User.objects.update(deleted_at=now() - timedelta(days=30))
    assert refusal(found.pk).code == "DeletedForGood"


@pytest.mark.parametrize(
    ("link", "is_wanted", "expected"),
    [
        (LinkStanding.NONE, False, Aftermath.UNTOUCHED),
        (LinkStanding.DELETED, True, Aftermath.TAKEN_OVER),
        (LinkStanding.DELETED, False, Aftermath.LEFT),
        (LinkStanding.ACTIVE, True, Aftermath.KEPT),
        (LinkStanding.ACTIVE, False, Aftermath.DELETED_AGAIN),
    ],
)
def test_what_becomes_of_it(link: LinkStanding, *, is_wanted: bool, expected: Aftermath) -> None:
    assert after_restore(link, is_wanted=is_wanted, may_be_deleted=True) is expected
    assert expected.sentence


def test_the_button_and_rest_bring_it_back(api: APIClient) -> None:
    bench = Bench.set_up()
    ada, team = user("ada"), group("team", [])
    bench.cycle([ada, team])
    bench.cycle([tombstone(ada), tombstone(team)])
    found = User.objects.get()
    console = Client()
    console.force_login(Administrator.objects.get(username="admin"))
    page = console.get(f"/admin/directory/user/{found.pk}/change/").content.decode()
    assert "no longer synchronized, until the source comes back" in page
    address = f"/admin/directory/user/{found.pk}/restore/"
    assert address in page
    assert console.get(address).status_code == 405
    assert "is restored" in console.post(address, follow=True).content.decode()
    assert "is not soft-deleted" in console.post(address, follow=True).content.decode()
    assert LogEntry.objects.filter(object_id=str(found.pk)).count() == 1
    listed = api.get("/api/v1/directory/groups?deleted=only").json()["results"]
    answer = api.post(f"/api/v1/directory/groups/{listed[0]['id']}/restore")
    assert (answer.status_code, answer.json()["code"]) == (200, "left")
    again = api.post(f"/api/v1/directory/groups/{listed[0]['id']}/restore")
    assert (again.status_code, again.json()["code"]) == (409, "ObjectNotInBin")
    assert api.post("/api/v1/directory/groups/x/restore").status_code == 404
    viewer = Administrator.objects.create_user("viewer", password="correct horse", is_staff=True)
    client = APIClient()
    client.force_authenticate(viewer)
    assert client.post(f"/api/v1/directory/groups/{listed[0]['id']}/restore").status_code == 403

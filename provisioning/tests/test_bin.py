"""Soft deletion ends after 30 days: until then an object comes back as it was, afterwards it is another one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from directory import tasks
from directory.models import Membership, User
from directory.services import purging
from provisioning.models import Link
from provisioning.tests.answering import Bench, group, guid_of, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)
RESTORABLE = timedelta(days=30)


def in_the_bin_for(age: timedelta) -> None:
    User.objects.filter(deleted_at__isnull=False).update(deleted_at=timezone.now() - age)


def test_within_30_days_an_object_comes_back_with_its_id_and_its_memberships() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    team = group("team", [guid_of(ada)])
    bench.cycle([ada, team])
    before = User.objects.get()
    bench.cycle([tombstone(ada)])
    in_the_bin_for(RESTORABLE - timedelta(minutes=1))
    tasks.purge_deleted_objects()
    bench.cycle([ada])
    after = User.objects.get()
    assert (after.pk, after.deleted_at) == (before.pk, None)
    assert Membership.objects.get().member_id == before.pk


def test_after_30_days_it_is_gone_for_good_and_comes_back_as_another_object() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada, user("bob")])
    before = User.objects.get(display_name="ada").pk
    bench.cycle([tombstone(ada)])
    in_the_bin_for(RESTORABLE)
    tasks.purge_deleted_objects()
    assert [str(one.display_name) for one in User.objects.all()] == ["bob"]
    bench.cycle([ada])
    after = User.objects.get(display_name="ada").pk
    assert after != before
    assert Link.objects.get(source__guid=ada["id"]).target_id == str(after)


def test_after_30_days_nothing_is_restored_though_the_purge_was_late() -> None:
    bench = Bench.set_up()
    ada = user("ada")
    bench.cycle([ada])
    before = User.objects.get().pk
    bench.cycle([tombstone(ada)])
    in_the_bin_for(RESTORABLE + timedelta(hours=1))
    cycle = bench.cycle([ada])
    held = User.objects.get()
    assert (cycle.count_failed, held.deleted_at) == (0, None)
    assert held.pk != before


def test_the_purge_goes_in_chunks_until_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "CHUNK", 2)
    moment = timezone.now()
    old = moment - RESTORABLE
    User.objects.bulk_create(
        User(created_at=old, updated_at=old, deleted_at=deleted) for deleted in (*[old] * 5, moment, None)
    )
    assert purging.purge(moment) == 5
    assert User.objects.count() == 2

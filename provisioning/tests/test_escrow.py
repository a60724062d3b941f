"""Objects that fail wait for their time, and do not fill the log meanwhile."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from directory.models import User
from provisioning.engine.escrow import next_retry
from provisioning.models import Escrow, ProvisioningLogEntry, SourceObject
from provisioning.tests.answering import Bench, changed, group, guid_of, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)


def with_a_collision() -> tuple[Bench, dict[str, object]]:
    """Two users of one name: the second has failed."""
    bench = Bench.set_up(parks_duplicates=False)
    second = user("ada2", UUID(int=2), userPrincipalName="ada@corp.example")
    bench.cycle([user("ada", UUID(int=1)), second, group("team", [guid_of(second)])])
    return bench, second


def test_a_failed_object_is_tried_again_only_at_its_time() -> None:
    bench, _ = with_a_collision()
    [kept] = Escrow.objects.all()
    assert (kept.error_code, kept.attempts) == ("AttributeValueMustBeUnique", 1)
    logged = ProvisioningLogEntry.objects.count()
    assert bench.cycle().count_planned == 0
    assert ProvisioningLogEntry.objects.count() == logged
    Escrow.objects.update(retry_at=timezone.now())
    cycle = bench.cycle()
    # The user, and the membership that waits for it.
    assert (cycle.count_planned, cycle.count_failed) == (2, 2)
    assert Escrow.objects.get().attempts == 2


def test_the_database_reckons_retries_as_the_engine_does() -> None:
    bench, _ = with_a_collision()
    for attempts in range(2, 33):
        Escrow.objects.update(retry_at=timezone.now())
        bench.cycle()
        kept = Escrow.objects.get()
        assert kept.attempts == attempts
        assert kept.retry_at == next_retry(kept.first_failed_at, attempts)
        if kept.retry_at is None:
            assert bench.cycle().count_failed == 0
            return
    pytest.fail("It is never given up.")


def test_a_failed_object_that_changes_does_not_wait() -> None:
    bench, second = with_a_collision()
    bench.cycle([changed(second, userPrincipalName="ada2@corp.example")])
    assert not Escrow.objects.exists()
    assert set(User.objects.values_list("display_name", flat=True)) == {"ada", "ada2"}


def test_a_failed_object_that_goes_leaves_escrow() -> None:
    bench, second = with_a_collision()
    bench.cycle([tombstone(second)])
    assert not Escrow.objects.exists()
    assert not SourceObject.objects.filter(is_dirty=True).exists()


def test_a_mapping_that_fails_for_one_object_leaves_the_others_alone() -> None:
    bench = Bench.set_up()
    cycle = bench.cycle([user("ada"), user("odd", pwdLastSet=["no", "number"])])
    assert (cycle.count_failed, User.objects.count()) == (1, 1)
    assert Escrow.objects.get().source.dn.startswith("CN=odd")
    assert bench.cycle().count_planned == 0


def test_an_object_whose_mapping_fails_is_still_deleted_when_it_goes() -> None:
    bench = Bench.set_up()
    odd = user("odd")
    bench.cycle([odd])
    bench.cycle([changed(odd, pwdLastSet=["no", "number"])])
    assert Escrow.objects.exists()
    assert User.objects.get().deleted_at is None
    bench.cycle([tombstone(odd)])
    assert User.objects.get().deleted_at is not None
    assert not Escrow.objects.exists()


def test_retries_come_after_six_twelve_and_twenty_four_hours_then_daily_for_28_days() -> None:
    first = timezone.now()
    waits = [next_retry(first, attempts) for attempts in range(1, 32)]
    hours = [None if one is None else (one - first) / timedelta(hours=1) for one in waits]
    assert hours[:5] == [6, 12, 24, 48, 72]
    assert max(one for one in hours if one is not None) == 28 * 24
    assert hours[-1] is None

"""An account that expires is disabled in the target though Active Directory says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from directory.models import User
from provisioning.models import ProvisioningLogEntry, SourceObject
from provisioning.services import reading
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, changed, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)
NEVER = 2**63 - 1


def filetime(moment: datetime) -> int:
    """100 ns steps since 1601."""
    return int((moment - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10


def let_the_moment_come() -> None:
    """What was to happen in an hour is to happen now: AD's value and the time we wait for move together."""
    for source in SourceObject.objects.filter(state_changes_at__isnull=False):
        source.attributes["accountExpires"] -= filetime(now()) - filetime(now() - timedelta(hours=1))
        assert source.state_changes_at is not None
        source.state_changes_at -= timedelta(hours=1)
        source.save()


def is_enabled(name: str) -> bool:
    return bool(User.objects.get(display_name=name).account_enabled)


def expiring(name: str, after: timedelta = timedelta(hours=1) - timedelta(seconds=1)) -> dict[str, object]:
    return user(name, accountExpires=filetime(now() + after), userAccountControl=512)


def test_an_account_is_disabled_in_the_first_cycle_after_it_expires() -> None:
    bench = Bench.set_up()
    bench.cycle([expiring("ada"), user("bob", accountExpires=NEVER), user("eve", accountExpires=0)])
    assert bench.cycle().count_planned == 0
    let_the_moment_come()
    cycle = bench.cycle()
    assert (cycle.count_imported, cycle.count_exported) == (0, 1)
    assert (is_enabled("ada"), is_enabled("bob"), is_enabled("eve")) == (False, True, True)
    assert ProvisioningLogEntry.objects.get(cycle_id=cycle.pk).action == "Disable"
    assert bench.cycle().count_planned == 0


def test_an_account_that_is_extended_in_time_stays_enabled() -> None:
    bench = Bench.set_up()
    ada = expiring("ada")
    bench.cycle([ada])
    bench.cycle([changed(ada, accountExpires=NEVER)])
    let_the_moment_come()
    assert bench.cycle().count_planned == 0
    assert is_enabled("ada") is True


def test_an_expired_account_that_is_extended_is_enabled_again() -> None:
    bench = Bench.set_up()
    ada = expiring("ada", timedelta(days=-1))
    bench.cycle([ada])
    assert is_enabled("ada") is False
    bench.cycle([changed(ada, accountExpires=filetime(now() + timedelta(days=1)))])
    assert is_enabled("ada") is True


def test_an_account_that_is_gone_before_it_expires_stays_gone() -> None:
    bench = Bench.set_up()
    ada = expiring("ada")
    bench.cycle([ada])
    bench.cycle([tombstone(ada)])
    let_the_moment_come()
    assert bench.cycle().count_planned == 0
    assert User.objects.get().deleted_at is not None


def test_expiries_count_towards_the_delete_threshold() -> None:
    bench = Bench.set_up(delete_threshold=2)
    bench.cycle([expiring("ada"), expiring("bob")])
    let_the_moment_come()
    assert bench.cycle().step == "held"
    assert is_enabled("ada") is True


def test_with_the_switch_off_expiry_is_neither_read_nor_heeded() -> None:
    bench = Bench.set_up(expire_accounts=False)
    assert "accountExpires" not in reading.of(bench.configuration).types["user"].attributes
    bench.cycle([expiring("ada", timedelta(days=-1))])
    assert is_enabled("ada") is True


def test_a_thousand_accounts_that_expire_together_are_all_disabled() -> None:
    bench = Bench.set_up(delete_threshold=100_000)
    people = [expiring(f"user{number}") for number in range(2_100)]
    bench.cycle(people[:1_000], people[1_000:2_000], people[2_000:])
    let_the_moment_come()
    assert bench.cycle().count_exported == len(people)
    assert not User.objects.filter(attributes__AccountEnabled=True).exists()

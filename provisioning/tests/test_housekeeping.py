"""What has outlived its use goes, however much of it there is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.models import Change, Cycle
from provisioning.services import housekeeping
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, user

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)


def test_idle_cycles_go_after_a_day_and_the_others_with_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_AT_ONCE", 2)
    bench = Bench.set_up()
    cycles = [bench.cycle([user("ada")]), *(bench.cycle() for _ in range(5)), bench.cycle([user("bob")])]
    ages = [2, 2, 2, 2, 2, 0, housekeeping.LOG_DAYS + 1]
    for cycle, age in zip(cycles, ages, strict=True):
        Cycle.objects.filter(pk=cycle.pk).update(ended_at=now() - age * DAY)
    housekeeping.tidy(now())
    assert list(Cycle.objects.order_by("pk")) == [cycles[0], cycles[5]]
    assert set(Change.objects.values_list("cycle_id", flat=True)) == {cycles[0].pk}

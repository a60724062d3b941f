"""The delete guard's limits by object type and for memberships, in whole cycles."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from directory.models import Membership, User
from provisioning.models import CycleStep, JobState, Notification, ProvisioningLogEntry
from provisioning.services import jobs
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, Resource, group, guid_of, membership_change, tombstone, user
from provisioning.tests.test_cycle import finish_stalled

pytestmark = pytest.mark.django_db(transaction=True)


def bench_with(people: int, **limits: Any) -> tuple[Bench, list[Resource], Resource]:
    """A configuration with these limits, so many users, and a group of all of them."""
    bench = Bench.set_up(notification_addresses=["admin@corp.example"], **limits)
    users = [user(f"user{number}") for number in range(people)]
    team = group("team", [guid_of(one) for one in users])
    bench.cycle([*users, team])
    return bench, users, team


def test_a_percentage_of_users_holds_the_job() -> None:
    bench, users, _ = bench_with(10, user_delete_percent=30)
    assert bench.cycle([tombstone(one) for one in users[:2]]).step == CycleStep.DONE
    # Three of the eight that are left.
    cycle = bench.cycle([tombstone(one) for one in users[2:5]])
    assert cycle.step == CycleStep.HELD
    assert "3 of 8 users, where the threshold is 30 %" in bench.job.state_detail


def test_a_number_for_groups_does_not_look_at_users() -> None:
    bench, users, team = bench_with(5, group_delete_threshold=1)
    assert bench.cycle([tombstone(one) for one in users[:4]]).step == CycleStep.DONE
    assert bench.cycle([tombstone(team)]).step == CycleStep.HELD


@pytest.mark.parametrize(
    "limit",
    [{"membership_delete_threshold": 3}, {"membership_delete_percent": 60}],
    ids=["number", "percent"],
)
def test_memberships_hold_the_job_until_a_person_allows_them(limit: dict[str, int]) -> None:
    bench, users, team = bench_with(5, **limit)
    leaving = [guid_of(one) for one in users[:3]]
    cycle = bench.cycle([membership_change(team, removed=leaving)])
    assert (cycle.step, bench.job.state) == (CycleStep.HELD, JobState.HELD)
    assert Membership.objects.count() == 5
    row = ProvisioningLogEntry.objects.get(cycle_id=cycle.pk, status="Skipped")
    assert row.modified[0]["count"] == 3
    assert Notification.objects.get().context["memberships"] == 3
    jobs.allow_deletes(bench.job, now())
    finish_stalled(bench)
    assert Membership.objects.count() == 2


def test_memberships_of_deleted_members_are_not_counted_again() -> None:
    bench, users, team = bench_with(5, membership_delete_threshold=3)
    leaving = users[:3]
    change = membership_change(team, removed=[guid_of(one) for one in leaving])
    assert bench.cycle([*(tombstone(one) for one in leaving), change]).step == CycleStep.DONE
    assert User.objects.filter(deleted_at__isnull=False).count() == 3


def test_the_held_list_names_memberships(api: APIClient) -> None:
    bench, users, team = bench_with(3, membership_delete_threshold=1)
    bench.cycle([membership_change(team, removed=[guid_of(users[0])])])
    answer = api.get(f"/api/v1/jobs/{bench.job.pk}/membership-removals").json()
    assert [(row["group"], row["member"]) for row in answer["results"]] == [
        ("CN=team,OU=Staff,DC=corp,DC=example", "CN=user0,OU=Staff,DC=corp,DC=example")
    ]

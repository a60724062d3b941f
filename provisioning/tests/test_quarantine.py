"""Into quarantine and out of it, with whole cycles; restarts by reset scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from directory.models import User
from provisioning.engine import quarantine
from provisioning.models import CycleStep, Escrow, Job, JobState, Link, Notification, SourceObject
from provisioning.services import failing, jobs, restarting, starting
from provisioning.services.clock import now
from provisioning.tests.answering import Bench, changed, group, guid_of, tombstone, user

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESSES = {"notification_addresses": ["admin@corp.example"]}


@pytest.fixture
def _small_thresholds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented numbers need tens of thousands of objects; the rule is the same with fewer."""
    monkeypatch.setattr(quarantine, "EVALUATED_FROM", 3)


def odd(name: str) -> dict[str, Any]:
    """A user whose mapping fails."""
    return user(name, pwdLastSet=["no", "number"])


@pytest.mark.usefixtures("_small_thresholds")
def test_a_cycle_that_mostly_fails_quarantines_the_job_with_one_mail() -> None:
    bench = Bench.set_up(**ADDRESSES)
    cycle = bench.cycle([odd("a"), odd("b"), odd("c"), user("ada")])
    assert (cycle.step, bench.job.state) == (CycleStep.DONE, JobState.QUARANTINED)
    assert bench.job.state_reason == quarantine.Reason.PROPORTION
    # What could be written was written, and the watermark moved.
    assert (User.objects.count(), bench.job.watermark) == (1, "watermark-1")
    began = bench.job.state_since
    bench.cycle()
    assert (bench.job.state, bench.job.quarantine_count) == (JobState.QUARANTINED, 2)
    assert bench.job.state_since == began
    assert Notification.objects.count() == 1


@pytest.mark.usefixtures("_small_thresholds")
def test_objects_that_succeed_end_the_quarantine() -> None:
    bench = Bench.set_up()
    failing_users = [odd("a"), odd("b"), odd("c")]
    bench.cycle(failing_users)
    assert bench.job.state == JobState.QUARANTINED
    bench.cycle([changed(one, pwdLastSet=None) for one in failing_users])
    assert (bench.job.state, bench.job.quarantine_count) == (JobState.ACTIVE, 0)


@pytest.mark.usefixtures("_small_thresholds")
def test_the_interval_stretches_while_the_quarantine_lasts() -> None:
    bench = Bench.set_up()
    bench.cycle([odd("a"), odd("b"), odd("c")])
    waits = []
    for _ in range(12):
        bench.cycle()
        due = bench.job.next_run_at
        assert due is not None
        # Asked a moment after it was reckoned.
        waits.append(round((due - now()).total_seconds(), -1))
    assert waits[0] > 400
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=24).total_seconds()


def test_each_reason_has_one_mail_however_often_it_returns() -> None:
    bench = Bench.set_up(**ADDRESSES)
    for code in ("AdBindFailed", "ScopeContainerMissing", "AdBindFailed"):
        failing.fail(bench.begin(), code, "It fails.", now())
    assert (bench.job.state_reason, bench.job.quarantine_count) == ("AdBindFailed", 3)
    assert [one.context["code"] for one in Notification.objects.order_by("pk")] == [
        "AdBindFailed",
        "ScopeContainerMissing",
    ]


def test_after_four_weeks_in_quarantine_the_job_is_disabled() -> None:
    bench = Bench.set_up(**ADDRESSES)
    failing.fail(bench.begin(), "AdBindFailed", "It fails.", now())
    long_ago = timezone.now() - quarantine.GIVEN_UP_AFTER - timedelta(minutes=1)
    Job.objects.update(state_since=long_ago, next_run_at=long_ago)
    assert len(starting.start_due(now())) == 0
    assert (bench.job.state, bench.job.state_reason) == (JobState.DISABLED, "QuarantinedTooLong")
    assert Notification.objects.filter(template="job_given_up").count() == 1
    jobs.start(bench.job, now())
    assert bench.cycle([user("ada")]).step == CycleStep.DONE


def test_a_quarantine_is_cleared_by_hand(api: APIClient) -> None:
    bench = Bench.set_up()
    bench.cycle([user("ada")])
    failing.fail(bench.begin(), "AdBindFailed", "It fails.", now())
    address = f"/api/v1/jobs/{bench.job.pk}"
    told = api.get(address).json()["quarantine"]
    assert (told["reason"], told["seriesCount"]) == ("EncounteredQuarantineException", 1)
    assert told["error"]["code"] == "AdBindFailed"
    cleared = api.post(f"{address}/clear-quarantine").json()
    assert (cleared["state"], cleared["quarantine"], cleared["watermark_at"]) == ("active", None, None)
    refused = api.post(f"{address}/clear-quarantine")
    assert (refused.status_code, refused.json()["code"]) == (409, "JobNotQuarantined")


def restart(api: APIClient, bench: Bench, scope: str) -> None:
    """Restart as Graph's clients do."""
    answer = api.post(
        f"/api/v1/jobs/{bench.job.pk}/restart", {"criteria": {"resetScope": scope}}, format="json"
    )
    assert answer.status_code == 200, answer.content


def with_a_failure() -> Bench:
    """One user is written, one stands in escrow."""
    bench = Bench.set_up()
    bench.cycle([user("ada"), odd("a")])
    assert Escrow.objects.count() == 1
    return bench


def test_the_empty_scope_forgets_watermark_and_escrows_and_keeps_links(api: APIClient) -> None:
    bench = with_a_failure()
    restart(api, bench, "")
    assert (bench.job.watermark, Escrow.objects.count(), Link.objects.count()) == ("", 0, 1)


def test_the_scope_escrows_lets_failed_objects_be_tried_at_once(api: APIClient) -> None:
    bench = with_a_failure()
    restart(api, bench, "Escrows")
    assert bench.job.watermark == "watermark-1"
    assert bench.cycle().count_failed == 1


def test_the_scope_watermark_keeps_escrows(api: APIClient) -> None:
    bench = with_a_failure()
    restart(api, bench, "Watermark")
    assert (bench.job.watermark, Escrow.objects.count()) == ("", 1)


def test_the_scope_quarantine_state_ends_a_quarantine_and_keeps_the_watermark(api: APIClient) -> None:
    bench = with_a_failure()
    failing.fail(bench.begin(), "AdBindFailed", "It fails.", now())
    restart(api, bench, "Watermark")
    assert bench.job.state == JobState.QUARANTINED
    restart(api, bench, "QuarantineState")
    assert (bench.job.state, bench.job.failures_in_a_row) == (JobState.ACTIVE, 0)


def test_the_scope_none_only_starts_the_job(api: APIClient) -> None:
    bench = with_a_failure()
    jobs.pause(bench.job, now())
    restart(api, bench, "None")
    assert (bench.job.state, bench.job.watermark) == (JobState.ACTIVE, "watermark-1")
    assert Escrow.objects.count() == 1


@pytest.mark.parametrize("scope", ["ConnectorDataStore", "Full"])
def test_what_is_forgotten_is_matched_again_and_nothing_is_created_twice(api: APIClient, scope: str) -> None:
    bench = Bench.set_up()
    ada = user("ada")
    everyone = [ada, group("team", [guid_of(ada)])]
    bench.cycle(everyone)
    before = set(User.objects.values_list("pk", flat=True))
    restart(api, bench, scope)
    assert not SourceObject.objects.exists()
    assert not Link.objects.exists()
    assert bench.cycle(everyone).count_failed == 0
    assert set(User.objects.values_list("pk", flat=True)) == before
    assert Link.objects.count() == 2


def test_what_a_cycle_under_way_still_needs_is_forgotten_when_it_ends(api: APIClient) -> None:
    bench = with_a_failure()
    cycle = bench.begin()
    restart(api, bench, "Full")
    assert Link.objects.exists()
    failing.fail(cycle, "TimeOut", "Nobody answered.", now())
    assert not Link.objects.exists()
    assert bench.job.pending_reset == []


def test_the_scope_force_deletes_releases_what_is_held(api: APIClient) -> None:
    bench = Bench.set_up(delete_threshold=1)
    ada = user("ada")
    bench.cycle([ada])
    assert bench.cycle([tombstone(ada)]).step == CycleStep.HELD
    restart(api, bench, "Watermark,ForceDeletes")
    assert bench.cycle([], mode="initial").step == CycleStep.DONE
    assert User.objects.get().deleted_at is not None


def test_deletes_are_forced_only_where_they_are_held(api: APIClient) -> None:
    bench = with_a_failure()
    for scope in ("ForceDeletes", "Full,ForceDeletes"):
        answer = api.post(
            f"/api/v1/jobs/{bench.job.pk}/restart", {"criteria": {"resetScope": scope}}, format="json"
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "JobNotHeld")


def test_an_unknown_scope_is_refused(api: APIClient) -> None:
    bench = with_a_failure()
    with pytest.raises(jobs.JobRefused, match="scope is not known"):
        restarting.scopes_of("Everything")
    answer = api.post(
        f"/api/v1/jobs/{bench.job.pk}/restart", {"criteria": {"resetScope": "Everything"}}, format="json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidResetScope")

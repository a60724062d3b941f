"""Reconciling: whatever somebody changes in the directory behind our back is found, named and put right again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core import mail
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.test import APIClient

from directory.models import Membership, User
from directory.tests import memberships
from provisioning.models import (
    Configuration,
    DriftFinding,
    Job,
    Notification,
    ProvisioningLogEntry,
    Reconciliation,
    SourceObject,
)
from provisioning.services import (
    configurations,
    housekeeping,
    jobs,
    notifications,
    reconciliations,
    removing,
    starting,
    watchdog,
)
from provisioning.services.hints import Hint, Step
from provisioning.services.jobs import JobRefused
from provisioning.store import drift, repairing
from provisioning.tests import states
from provisioning.tests.answering import changed, guid_of, run_one, run_to_end, tombstone
from provisioning.tests.drifting import (
    REPAIR,
    REPORT,
    Company,
    begin,
    drift_of_every_kind,
    execute,
    found,
    id_of,
    join,
    leave,
    reconcile,
    vanish,
)

pytestmark = pytest.mark.django_db(transaction=True)


def held_of_ours() -> dict[str, Any]:
    """What the target holds, without the stranger, who must still be there, and in the club."""
    held = states.held()
    held.pop("stranger")
    held["club"].remove("stranger")
    return held


def log_of(run: Reconciliation) -> QuerySet[ProvisioningLogEntry]:
    """What a repair wrote into the log."""
    return ProvisioningLogEntry.objects.filter(cycle_id=run.cycle_id or 0)


EVERY_KIND = [
    ("changed", "ada", ""),
    ("deleted", "dan", ""),
    ("membershipExtra", "club", "ada"),
    ("membershipForeign", "club", "stranger"),
    ("membershipMissing", "staff", "boss"),
    ("missing", "bob", ""),
    ("reference", "cid", ""),
]


def test_every_kind_of_drift_is_reported_and_nothing_is_written() -> None:
    company = Company()
    assert found(reconcile(company.bench)) == []
    drift_of_every_kind(company)
    before = list(User.objects.order_by("pk").values_list("pk", "updated_at", "deleted_at"))
    run = reconcile(company.bench)
    assert found(run) == EVERY_KIND
    assert (run.count_compared, run.total, run.state) == (8, 7, "done")
    told = DriftFinding.objects.get(reconciliation=run, kind="changed").detail
    assert told == [{"name": "Department", "written": "Sales", "held": "Other"}]
    assert list(User.objects.order_by("pk").values_list("pk", "updated_at", "deleted_at")) == before
    assert not SourceObject.objects.filter(is_dirty=True).exists()


def test_a_repair_writes_every_difference_back_and_leaves_strangers_alone() -> None:
    company = Company()
    right = states.held()
    drift_of_every_kind(company)
    run = reconcile(company.bench, REPAIR)
    assert run.state == "done"
    assert held_of_ours() == right
    assert [kind for kind, *_ in found(reconcile(company.bench))] == ["membershipForeign"]
    logged = log_of(run).filter(status="Success")
    [mended] = [one for one in logged if one.source_guid == guid_of(company.ada)]
    assert mended.modified == [{"displayName": "Department", "oldValue": "Other", "newValue": "Sales"}]
    assert sorted(one.action for one in logged) == ["Create", "Create", *["Update"] * 5]
    # Nothing of it is left for the next ordinary cycle.
    assert company.bench.cycle([]).count_planned == 0


def test_a_manager_who_vanished_is_made_again_and_referred_to_again() -> None:
    company = Company()
    right = states.held()
    vanish("boss")
    assert found(reconcile(company.bench)) == [("missing", "boss", "")]
    reconcile(company.bench, REPAIR)
    assert states.held() == right
    assert found(reconcile(company.bench)) == []


def test_an_object_that_was_deleted_and_is_back_is_deleted_again() -> None:
    company = Company()
    company.bench.cycle([tombstone(company.dan)])
    execute("UPDATE directory_user SET deleted_at = NULL WHERE id = %s", id_of("dan"))
    assert found(reconcile(company.bench)) == [("returned", "dan", "")]
    run = reconcile(company.bench, REPAIR)
    assert User.objects.get(pk=id_of("dan")).deleted_at is not None
    assert log_of(run).get().action == "Delete"
    assert found(reconcile(company.bench)) == []


def test_an_object_that_lost_its_anchor_is_told_and_not_touched() -> None:
    company = Company()
    execute(
        """UPDATE directory_user SET immutable_id = NULL, attributes = attributes || '{"Department": "Mine"}'
            WHERE id = %s""",
        id_of("ada"),
    )
    assert found(reconcile(company.bench, REPAIR)) == [("unlinked", "ada", "")]
    assert User.objects.get(pk=id_of("ada")).department == "Mine"


def test_a_value_that_ad_does_not_have_is_drift_on_an_object_that_we_made() -> None:
    company = Company()
    set_department = (
        """UPDATE directory_user SET attributes = attributes || '{"Department": "Own"}' WHERE id = %s"""
    )
    for name in ("bob", "cid"):
        execute(set_department, id_of(name))
    # One that was in the cloud before may have had it from there.
    execute(
        "UPDATE directory_user SET created_at = created_at - interval '1 day' WHERE id = %s", id_of("cid")
    )
    assert found(reconcile(company.bench, REPAIR)) == [("changed", "bob", "")]
    assert [User.objects.get(pk=id_of(name)).department for name in ("bob", "cid")] == [None, "Own"]


def test_a_group_that_was_deleted_comes_back_with_its_members() -> None:
    company = Company()
    right = states.held()
    memberships.end(id_of("staff"))
    execute("UPDATE directory_group SET deleted_at = now() WHERE display_name IN ('staff', 'club')")
    assert found(reconcile(company.bench, REPAIR)) == [("deleted", "club", ""), ("deleted", "staff", "")]
    assert states.held() == right
    assert found(reconcile(company.bench)) == []


def test_what_the_mapping_leaves_to_the_target_is_no_drift() -> None:
    company = Company()
    bench = company.bench
    schema = bench.configuration.schema
    for mapping in schema["synchronizationRules"][0]["objectMappings"]:
        for one in mapping["attributeMappings"]:
            if one["targetAttributeName"] == "Department":
                one["flowType"] = "AttributeAddOnly"
    configurations.change_schema(bench.configuration, schema, timezone.now())
    written = """UPDATE directory_user SET attributes = attributes || %s WHERE id = %s"""
    execute(written, '{"Department": "Other", "Nickname": "A"}', id_of("ada"))
    assert found(reconcile(bench)) == []
    execute(written, '{"Department": ""}', id_of("ada"))
    assert found(reconcile(bench)) == [("changed", "ada", "")]


def test_a_repair_that_would_remove_too_much_is_refused_and_changes_nothing() -> None:
    company = Company(membership_delete_threshold=2)
    join("club", id_of("ada"))
    join("club", id_of("bob"))
    leave("staff", "boss")
    run = reconcile(company.bench, REPAIR)
    assert (run.state, run.error_code) == ("refused", "TooManyDeletes")
    assert "2 memberships, where the threshold is 2" in run.error_detail
    assert not SourceObject.objects.filter(members_dirty=True).exists()
    assert Membership.objects.count() == 6
    assert company.bench.job.state == "active"
    Configuration.objects.update(membership_delete_threshold=3)
    company.bench.configuration.refresh_from_db()
    assert reconcile(company.bench, REPAIR).state == "done"
    assert Membership.objects.count() == 5


def test_accounts_that_a_repair_would_disable_count_for_the_guard() -> None:
    company = Company(delete_threshold=1)
    enable = (
        """UPDATE directory_user SET attributes = attributes || '{"AccountEnabled": true}' WHERE id = %s"""
    )
    execute(enable, id_of("eve"))
    run = reconcile(company.bench, REPAIR)
    assert run.state == "refused"
    assert "disable 1 objects" in run.error_detail


@pytest.mark.parametrize(("decide", "state"), [(jobs.allow_deletes, "done"), (jobs.reject_deletes, "failed")])
def test_what_else_waits_to_be_planned_may_hold_the_job_and_a_person_decides(
    decide: Callable[[Job, datetime], None], state: str
) -> None:
    company = Company(delete_threshold=1)
    gone = SourceObject.objects.filter(guid=guid_of(company.bob))
    gone.update(is_gone=True, gone_reason="deleted", is_dirty=True)
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    run, hints = begin(company.bench, REPAIR)
    run_to_end(hints)
    assert company.bench.job.state == "held"
    decide(company.bench.job, timezone.now())
    run_to_end(watchdog.stalled(timezone.now()))
    run.refresh_from_db()
    assert run.state == state
    assert User.objects.filter(deleted_at__isnull=True, display_name="dan").exists() == (state == "done")


@pytest.mark.parametrize(
    ("died_in", "after"), [("comparing", 3), ("marking", 3), ("planning", 1), ("exporting", 1)]
)
def test_a_repair_that_dies_anywhere_ends_as_one_that_does_not(
    died_in: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company()
    right = states.held()
    drift_of_every_kind(company)
    # One chunk to a slice. The hints of the last one are lost with their worker.
    monkeypatch.setattr("provisioning.services.reconciling.CHUNK", 1)
    monkeypatch.setattr("provisioning.services.reconciling._SLICE_S", 0.0)
    run, hints = begin(company.bench, REPAIR)
    while after:
        assert hints
        hints = [following for hint in hints for following in run_one(hint)]
        run.refresh_from_db()
        stage = run.cycle.step if run.state == "repairing" and run.cycle else run.state
        after -= stage == died_in
    while waiting := watchdog.stalled(timezone.now() + timedelta(hours=1)):
        run_to_end(waiting)
    run.refresh_from_db()
    assert run.state == "done"
    assert held_of_ours() == right
    assert [kind for kind, *_ in found(reconcile(company.bench))] == ["membershipForeign"]


def test_marking_that_fails_halfway_through_a_chunk_leaves_no_half_marks() -> None:
    company = Company()
    drift_of_every_kind(company)
    _, hints = begin(company.bench, REPAIR)
    with patch.object(repairing, "_MARK", "SELECT 1 / 0"), pytest.raises(Exception, match="division by zero"):
        run_to_end(hints)
    assert not SourceObject.objects.filter(is_dirty=True).exists()


def test_a_cycle_and_a_reconciliation_keep_out_of_each_others_way() -> None:
    company = Company()
    bench = company.bench
    cycle = bench.begin()
    run = reconciliations.ask(bench.configuration, REPORT, timezone.now())
    assert reconciliations.start_due(timezone.now()) == []
    with pytest.raises(JobRefused, match="under way"):
        reconciliations.ask(bench.configuration, REPORT, timezone.now())
    bench.answer([changed(company.bob, department="New")], mode="delta")
    run_to_end([Hint(Step.INGEST, cycle.pk)])
    watermark = bench.job.watermark
    hints = reconciliations.start_due(timezone.now())
    jobs.run_now(bench.job, timezone.now())
    assert starting.start_due(timezone.now()) == []
    run_to_end(hints)
    run.refresh_from_db()
    assert run.state == "done"
    assert bench.job.watermark == watermark
    assert len(starting.start_due(timezone.now())) == 1


def test_a_schedule_reports_or_repairs_and_writes_one_mail_about_drift() -> None:
    Company(reconcile="repair", reconcile_hours=24, notification_addresses=["it@corp.example"])
    tomorrow = timezone.now() + timedelta(hours=25)
    assert reconciliations.start_due(timezone.now()) == []
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    run_to_end(reconciliations.start_due(tomorrow))
    run = Reconciliation.objects.get()
    assert (run.is_scheduled, run.mode, run.state) == (True, "repair", "done")
    assert User.objects.get(pk=id_of("dan")).deleted_at is None
    [told] = Notification.objects.all()
    assert notifications.send(told.pk, tomorrow)
    assert "Deleted in the target: 1" in str(mail.outbox[0].body)
    # The same moment again starts nothing, and the next day's finds nothing to write about.
    assert reconciliations.start_due(tomorrow) == []
    run_to_end(reconciliations.start_due(tomorrow + timedelta(hours=25)))
    assert Reconciliation.objects.count() == 2
    assert Notification.objects.count() == 1


def test_a_schedule_leaves_a_job_alone_that_does_not_run() -> None:
    company = Company(reconcile="report", reconcile_hours=1)
    jobs.pause(company.bench.job, timezone.now())
    assert reconciliations.start_due(timezone.now() + timedelta(days=30)) == []
    assert not Reconciliation.objects.exists()
    with pytest.raises(JobRefused, match="disabled"):
        reconciliations.ask(company.bench.configuration, REPAIR, timezone.now())
    assert reconcile(company.bench, REPORT).state == "done"


def test_findings_are_bounded_and_counts_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company()
    monkeypatch.setattr(drift, "LISTED", 2)
    execute("""UPDATE directory_user SET attributes = attributes || '{"DisplayName": "x"}'""")
    for mode in (REPORT, REPAIR):
        run = reconcile(company.bench, mode)
        assert (run.counts, len(found(run))) == ({"changed": {"user": 6}}, 2)
    assert reconcile(company.bench).total == 0


def test_rest_asks_for_a_reconciliation_and_tells_what_it_found(api: APIClient) -> None:
    company = Company()
    drift_of_every_kind(company)
    address = f"/api/v1/configurations/{company.bench.configuration.pk}/reconcile"
    asked = api.post(address, {"mode": "repair"}, format="json")
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    again = api.post(address, {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "ReconciliationUnderWay")
    assert api.post(address, {"mode": "destroy"}, format="json").json()["code"] == "InvalidInput"
    run_to_end(reconciliations.start_due(timezone.now()))
    [listed] = api.get(f"/api/v1/reconciliations?configuration={company.bench.configuration.pk}").json()[
        "results"
    ]
    assert (listed["state"], listed["counts"]["missing"]) == ("done", {"user": 1})
    one = f"/api/v1/reconciliations/{listed['id']}"
    assert api.get(one).json() == listed
    findings = api.get(f"{one}/findings?kind=changed").json()["results"]
    assert [(row["source_guid"], row["detail"][0]["held"]) for row in findings] == [
        (company.ada["id"], "Other")
    ]
    assert api.get(f"{one}/findings?kind=nonsense").status_code == 400


def test_old_reconciliations_are_tidied_away() -> None:
    company = Company()
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    reconcile(company.bench)
    housekeeping.tidy(timezone.now() + timedelta(days=89))
    assert DriftFinding.objects.count() == 1
    housekeeping.tidy(timezone.now() + timedelta(days=91))
    assert not Reconciliation.objects.exists()
    assert not DriftFinding.objects.exists()


def test_a_configuration_goes_with_its_reconciliations_and_one_under_way_ends() -> None:
    company = Company()
    execute("UPDATE directory_user SET deleted_at = now() WHERE id = %s", id_of("dan"))
    reconcile(company.bench)
    _, hints = begin(company.bench, REPAIR)
    removing.remove(company.bench.configuration)
    run_to_end(hints)
    assert not Reconciliation.objects.exists()
    assert not DriftFinding.objects.exists()
    assert User.objects.get(pk=id_of("dan")).deleted_at is not None

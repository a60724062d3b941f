"""Quarantine by the documented thresholds and worked cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from provisioning.engine.quarantine import (
    GIVEN_UP_AFTER,
    Failures,
    Reason,
    graph_reason,
    is_given_up,
    reason_after,
    reason_for,
)


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        pytest.param(Failures(succeeded=0, failed=4_000), None, id="4 000 failed"),
        pytest.param(Failures(succeeded=1_000_000, failed=45_000), Reason.BASE, id="45 000 failed"),
        pytest.param(Failures(succeeded=5_000, failed=30_000), Reason.PROPORTION, id="30 000 of 35 000"),
        pytest.param(Failures(succeeded=100_000, failed=20_000), None, id="20 000 of 120 000"),
        pytest.param(
            Failures(succeeded=1_000_000, failed=40_000, failed_references=21_000),
            Reason.TOTAL,
            id="40 000 and 21 000 references",
        ),
    ],
)
def test_the_documented_worked_cases(failures: Failures, reason: Reason | None) -> None:
    assert reason_for(failures) is reason


@pytest.mark.parametrize(
    ("failures", "reason"),
    [
        (Failures(0, 4_999), None),
        (Failures(0, 5_000), Reason.PROPORTION),
        (Failures(7_500, 5_000), None),
        (Failures(7_499, 5_000), Reason.PROPORTION),
        (Failures(1_000_000, 40_000), None),
        (Failures(1_000_000, 40_001), Reason.BASE),
        (Failures(1_000_000, 40_000, 20_000), None),
        (Failures(1_000_000, 40_000, 20_001), Reason.TOTAL),
        (Failures(0, 0, 60_000), None),
        (Failures(0, 0, 60_001), Reason.TOTAL),
    ],
)
def test_each_threshold_lets_its_own_number_pass(failures: Failures, reason: Reason | None) -> None:
    assert reason_for(failures) is reason


def test_references_do_not_count_towards_the_proportion() -> None:
    assert reason_for(Failures(succeeded=10_000, failed=5_000, failed_references=50_000)) is None


def test_objects_in_escrow_count_though_this_cycle_did_not_try_them() -> None:
    assert reason_for(Failures(succeeded=10, failed=1, in_escrow=40_001)) is Reason.BASE


def test_one_failure_beside_an_old_escrow_is_no_proportion() -> None:
    assert reason_for(Failures(succeeded=1, failed=1, in_escrow=6_000)) is None


def test_an_idle_cycle_does_not_end_a_quarantine_by_proportion() -> None:
    idle = Failures(succeeded=0, failed=0, in_escrow=30_000)
    assert reason_after(Reason.PROPORTION, idle) is Reason.PROPORTION
    assert reason_after("AdBindFailed", idle) is None


def test_a_successful_retry_ends_a_quarantine_by_proportion() -> None:
    assert reason_after(Reason.PROPORTION, Failures(succeeded=30_000, failed=0)) is None


def test_a_job_is_given_up_after_four_weeks() -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    assert not is_given_up(since, since + GIVEN_UP_AFTER)
    assert is_given_up(since, since + GIVEN_UP_AFTER + timedelta(seconds=1))


def test_an_error_code_of_ours_is_an_exception_to_graph() -> None:
    assert graph_reason("AdBindFailed") is Reason.EXCEPTION
    assert graph_reason("EncounteredBaseEscrowThreshold") is Reason.BASE

"""When an agent is to update: the whole decision as a table."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.update_policy import Advice, Policy, Reason, advise, next_opening

# A Wednesday, 12:00 in London, 13:00 in Berlin (winter), 17:30 in Kolkata.
NOON = datetime(2026, 1, 14, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
PUBLISHED = ("0.1.0", "0.9.0", "0.10.0", "0.11.0rc1")
UP_TO_DATE = Advice(None, now=False, reason=Reason.UP_TO_DATE)
AT_ONCE = Advice("0.10.0", now=True, reason=Reason.AT_ONCE)
TOMORROW = NOON + timedelta(days=1)
OPEN, SHUT = (time(12), time(14)), (time(2), time(4))


@pytest.mark.parametrize(
    ("policy", "current", "expected"),
    [
        (Policy(), "0.1.0", AT_ONCE),
        (Policy(), "0.9.0", AT_ONCE),
        (Policy(), "0.10.0", UP_TO_DATE),
        (Policy(), "0.10", UP_TO_DATE),
        (Policy(), "0.12.0", UP_TO_DATE),
        (Policy(), "built by hand", AT_ONCE),
        (Policy(deferred_until=TOMORROW), "0.1.0", Advice("0.10.0", False, Reason.DEFERRED, TOMORROW)),
        (Policy(deferred_until=NOON), "0.1.0", AT_ONCE),
        (Policy(deferred_until=TOMORROW, at_once=True), "0.1.0", AT_ONCE),
        (Policy(window=OPEN, zone=BERLIN), "0.1.0", Advice("0.10.0", True, Reason.IN_WINDOW)),
        (
            Policy(window=SHUT, zone=BERLIN),
            "0.1.0",
            Advice("0.10.0", False, Reason.OUTSIDE_WINDOW, datetime(2026, 1, 15, 1, tzinfo=UTC)),
        ),
        (Policy(window=SHUT, zone=BERLIN, at_once=True), "0.1.0", AT_ONCE),
        (
            Policy(window=OPEN, zone=BERLIN, deferred_until=TOMORROW),
            "0.1.0",
            Advice("0.10.0", False, Reason.DEFERRED, TOMORROW),
        ),
        (Policy(pinned="0.9.0"), "0.1.0", Advice("0.9.0", True, Reason.AT_ONCE)),
        (Policy(pinned="0.9.0"), "0.10.0", Advice("0.9.0", True, Reason.AT_ONCE)),
        (Policy(pinned="0.9.0"), "0.9.0", UP_TO_DATE),
        (Policy(pinned="0.11.0rc1"), "0.10.0", Advice("0.11.0rc1", True, Reason.AT_ONCE)),
        (Policy(pinned="0.8.0"), "0.1.0", Advice(None, False, Reason.PIN_MISSING)),
    ],
)
def test_what_an_agent_is_advised(policy: Policy, current: str, expected: Advice) -> None:
    assert advise(policy, current, PUBLISHED, NOON) == expected


def test_without_releases_there_is_nothing_to_advise() -> None:
    assert advise(Policy(at_once=True), "0.1.0", (), NOON) == UP_TO_DATE


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        ((time(22), time(6)), datetime(2026, 1, 14, 22, tzinfo=UTC), None),
        ((time(22), time(6)), datetime(2026, 1, 14, 5, 59, tzinfo=UTC), None),
        ((time(22), time(6)), datetime(2026, 1, 14, 6, tzinfo=UTC), datetime(2026, 1, 14, 22, tzinfo=UTC)),
        ((time(2), time(4)), datetime(2026, 1, 14, 1, tzinfo=UTC), datetime(2026, 1, 14, 2, tzinfo=UTC)),
        ((time(2), time(4)), datetime(2026, 1, 14, 4, tzinfo=UTC), datetime(2026, 1, 15, 2, tzinfo=UTC)),
        ((time(3), time(3)), datetime(2026, 1, 14, 1, tzinfo=UTC), None),
    ],
)
def test_a_window_may_span_midnight(window: tuple[time, time], at: datetime, opens: datetime | None) -> None:
    assert next_opening(window, ZoneInfo("UTC"), at) == opens


def test_a_window_is_in_local_time_also_when_clocks_change() -> None:
    night = (time(4), time(5))
    saturday = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert next_opening(night, BERLIN, saturday - timedelta(days=1)) == datetime(2026, 3, 28, 3, tzinfo=UTC)
    assert next_opening(night, BERLIN, saturday) == datetime(2026, 3, 29, 2, tzinfo=UTC)

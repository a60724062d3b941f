"""How times, values, cycles, schema documents and heartbeats are put into words and pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agents.day_strip import Segment
from agents.models import AgentState
from directory.models import User
from portal.console import activity, attributes, heartbeat, moments, schema_tables, steps
from portal.console import paginator as paginators
from portal.tests import factories
from provisioning.models import Cycle, CycleStep

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (-40, "40 s ago"),
        (40, "in 40 s"),
        (-61, "1 min 1 s ago"),
        (-60 * 12 - 5, "12 min ago"),
        (-3_600 * 2 - 60 * 14, "2 h 14 min ago"),
        (-3_600 * 11 - 60, "11 h ago"),
        (86_400 * 3 + 3_600, "in 3 d 1 h"),
        (86_400 * 151, "in 151 d"),
    ],
)
def test_a_moment_is_told_relative_to_now(seconds: int, words: str) -> None:
    assert moments.relative(NOON + timedelta(seconds=seconds), NOON) == words


def test_the_exact_moment_is_in_the_tooltip_in_utc() -> None:
    elsewhere = NOON.astimezone(datetime.now().astimezone().tzinfo)
    assert 'title="2026-03-01 12:00:00 UTC"' in moments.moment_html(elsewhere, NOON)


def test_what_never_happened_says_so() -> None:
    assert "never" in moments.moment_html(None, NOON)


def test_a_duration_has_tenths_only_while_they_matter() -> None:
    assert moments.duration(NOON, NOON + timedelta(seconds=2.43)) == "2.4 s"
    assert moments.duration(NOON, NOON + timedelta(seconds=75)) == "1 min 15 s"
    assert moments.duration(NOON, NOON - timedelta(seconds=3)) == "0.0 s"


def test_values_are_escaped_and_lists_are_lines() -> None:
    assert attributes.value_html("<b>") == "&lt;b&gt;"
    assert (
        attributes.value_html(["a", "<"]) == '<span class="is-line">a</span><span class="is-line">&lt;</span>'
    )
    assert attributes.value_html(False) == "false"
    assert "–" in attributes.value_html(None)
    assert attributes.value_html({"value": "guid", "display": "CN=Ada"}) == "CN=Ada"


def test_a_long_value_is_cut_and_whole_in_the_tooltip() -> None:
    shown = attributes.value_html("x" * 900)
    assert f'title="{"x" * 900}"' in shown
    assert f">{'x' * 240}…<" in shown


def test_a_log_rows_modified_list_becomes_rows() -> None:
    rows = attributes.modified_rows([{"displayName": "Title", "oldValue": "a", "newValue": "b"}, "broken"])
    assert [(row.name, row.old, row.new) for row in rows] == [("Title", "a", "b")]
    assert attributes.modified_rows(None) == []


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["ada", "bob"], ["ada", "bob"]),
        (["ada"], ["ada", "and 1 more"]),
        ([], ["2 no longer known"]),
        (None, None),
    ],
)
def test_members_that_a_log_row_does_not_name_are_counted(names: Any, shown: Any) -> None:
    told = {"displayName": "members added", "count": 2, "oldValue": None, "newValue": names}
    assert attributes.modified_rows([told])[0].new == shown


def test_a_big_number_of_them_has_thin_spaces() -> None:
    told = {"displayName": "members removed", "count": 2_901, "oldValue": ["ada"], "newValue": None}
    assert attributes.modified_rows([told])[0].old == ["ada", "and 2\u202f900 more"]


def positions(**fields: Any) -> list[str]:
    return [f"{station.label}:{station.position}" for station in steps.of_cycle(Cycle(**fields))]


def test_a_running_cycle_shows_what_is_behind_and_ahead() -> None:
    assert positions(step=CycleStep.EXPORTING) == [
        "Reading:passed",
        "Planning:passed",
        "Exporting:current",
        "Settling:ahead",
        "Done:ahead",
    ]


def test_a_held_cycle_waits_after_its_plan() -> None:
    assert positions(step=CycleStep.HELD)[1] == "Held:current"


def test_a_failed_cycle_shows_how_far_it_came() -> None:
    assert positions(step=CycleStep.FAILED)[0] == "Failed while reading:failed"
    assert positions(step=CycleStep.FAILED, count_planned=3)[1] == "Failed while planning:failed"
    assert (
        positions(step=CycleStep.FAILED, count_planned=3, count_exported=1)[2]
        == "Failed while exporting:failed"
    )


def test_bars_are_relative_to_the_tallest_hour_and_never_vanish() -> None:
    first = NOON - timedelta(hours=23)
    shown = activity.bars({first: (400, 0), NOON: (1, 1)}, first)
    assert len(shown.bars) == 24
    assert (shown.bars[0].exported_height, shown.bars[-1].exported_height) == (100, 3)
    assert (shown.exported, shown.failed) == (401, 1)


def test_no_activity_has_no_height() -> None:
    assert {bar.exported_height for bar in activity.bars({}, NOON).bars} == {0}


def test_the_strip_of_a_day_fills_the_day() -> None:
    middle = NOON - timedelta(hours=6)
    segments = [
        Segment(NOON - timedelta(hours=12), middle, AgentState.ACTIVE),
        Segment(middle, NOON, AgentState.INACTIVE),
    ]
    stretches = heartbeat.stretches(segments, NOON)
    assert [(stretch.state, stretch.width) for stretch in stretches] == [
        ("unknown", "50.000"),
        ("active", "25.000"),
        ("inactive", "25.000"),
    ]
    assert stretches[2].title == "Inactive: 06:00–12:00 UTC (6 h)"
    assert heartbeat.in_words(segments) == (
        "Last 24 hours, UTC: active from 00:00 to 06:00, inactive from 06:00 to 12:00."
    )


def test_scope_lists_containers_and_groups_of_every_rule() -> None:
    document = {
        "synchronizationRules": [
            {"containerFilter": {"includedContainers": ["guid-1"]}, "groupFilter": None},
            {"containerFilter": {"includedContainers": [{"objectGUID": "guid-2"}]}},
        ]
    }
    scope = schema_tables.scope(document)
    assert scope.containers == ["guid-1", "guid-2"]
    assert not scope.is_whole_domain
    assert schema_tables.scope({}).is_whole_domain


def test_the_mapping_lists_matching_attributes_first() -> None:
    (table,) = schema_tables.mappings(factories.schema())
    assert table.rows[0].target == "UserPrincipalName"
    assert table.rows[0].flow == "at creation"
    assert [row.target for row in table.rows[1:]] == sorted(row.target for row in table.rows[1:])


def test_a_table_is_counted_to_the_limit_and_no_further(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paginators, "COUNT_LIMIT", 10)
    factories.users(range(12))
    paginator = paginators.LimitedPaginator(User.objects.order_by("id"), 4)
    assert (paginator.count, paginator.is_limited, paginator.num_pages) == (10, True, 3)
    User.objects.filter(pk__in=[user.pk for user in User.objects.all()[:5]]).delete()
    paginator = paginators.LimitedPaginator(User.objects.order_by("id"), 4)
    assert (paginator.count, paginator.is_limited) == (7, False)

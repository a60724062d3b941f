"""From an empty directory to everybody, equal to what Active Directory has."""

from __future__ import annotations

import pytest

from tests.sites import FirstCycle, Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


def test_it_reads_everything_and_nothing_fails(corp: Site, corp_at_first: FirstCycle) -> None:
    cycle = corp_at_first.cycle
    assert (cycle["kind"], cycle["step"], cycle["count_failed"]) == ("initial", "done", 0)
    assert cycle["count_imported"] == len(corp_at_first.active_directory)
    assert cycle["count_exported"] == cycle["count_planned"]


def test_everybody_in_scope_is_in_the_directory_and_nobody_else(corp_at_first: FirstCycle) -> None:
    assert set(corp_at_first.cloud) == set(corp_at_first.active_directory)
    kinds = [one["kind"] for one in corp_at_first.cloud.values()]
    # The company's own, and the account that the agent signs in with.
    assert [kinds.count(kind) for kind in ("user", "group", "contact")] == [120 + 1, 24, 10]


def test_everybody_is_as_in_active_directory(corp_at_first: FirstCycle) -> None:
    differing = {
        guid: (one, corp_at_first.cloud[guid])
        for guid, one in corp_at_first.active_directory.items()
        if one != corp_at_first.cloud[guid]
    }
    assert differing == {}


def test_the_company_had_what_is_hard(corp_at_first: FirstCycle) -> None:
    """The comparisons above would mean little without these."""
    cloud = corp_at_first.cloud
    groups = {guid: one["members"] for guid, one in cloud.items() if one["kind"] == "group"}
    assert any(members & set(groups) for members in groups.values()), "nested membership"
    everywhere = [member for members in groups.values() for member in members]
    assert len(everywhere) > len(set(everywhere)), "overlapping membership"
    people = [one for one in cloud.values() if one["kind"] == "user"]
    assert {one["enabled"] for one in people} == {True, False}
    assert sum(one["manager"] is not None for one in people) > 100
    names = "".join(one["OnPremisesDistinguishedName"] for one in people)
    assert all(character in names for character in ('\\"', "\\,", "\\+", "Ł", "山"))


def test_the_log_tells_of_each_object_once(corp: Site, corp_at_first: FirstCycle) -> None:
    rows = corp.log(cycle=str(corp_at_first.cycle["id"]))
    assert {row["status"] for row in rows} == {"Success"}
    created = [row["source_guid"] for row in rows if row["action"] == "Create"]
    assert sorted(created) == sorted(str(guid) for guid in corp_at_first.active_directory)
    assert len(rows) == corp_at_first.expected_log_rows

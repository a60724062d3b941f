"""Nothing changed in Active Directory: nothing is written anywhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


def test_a_cycle_without_changes_writes_no_directory_row_and_no_log_row(corp: Site) -> None:
    corp.next_cycle()
    before = corp.database.directory_versions(), len(corp.log())
    cycle = corp.next_cycle()
    assert (cycle["kind"], cycle["count_imported"], cycle["count_planned"]) == ("delta", 0, 0)
    assert (corp.database.directory_versions(), len(corp.log())) == before


def test_a_full_read_without_changes_writes_no_directory_row_and_no_log_row(corp: Site) -> None:
    corp.next_cycle()
    before = corp.database.directory_versions(), len(corp.log())
    since = datetime.now(UTC)
    corp.steer("restart", full=True)
    cycle = corp.next_cycle(since=since)
    assert (cycle["kind"], cycle["count_planned"], cycle["count_exported"]) == ("initial", 0, 0)
    assert cycle["count_imported"] > 0
    assert (corp.database.directory_versions(), len(corp.log())) == before

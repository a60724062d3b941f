"""A cycle of a real domain is undone through REST by the workers: the cloud is as it was, until a person starts."""

from __future__ import annotations

import pytest

from lab import changes
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


def stop(corp: Site) -> None:
    corp.steer("pause")
    corp.until(lambda: corp.job["current_cycle"] is None, "no cycle is under way")


def test_a_cycle_is_undone_and_written_again_once_started(corp: Site) -> None:
    with corp.forest.connect() as connection:
        unit = changes.add_unit(connection, corp.company.root_dn, "Undone")
        boss = changes.add_user(connection, unit, "Undone boss", "undone.boss", {"title": "Head"})
        clerk = changes.add_user(connection, unit, "Undone clerk", "undone.clerk", {"manager": boss})
        leaver = changes.add_user(connection, unit, "Undone leaver", "undone.leaver")
        team = changes.add_group(connection, unit, "Undone team", "undone.team", [boss, clerk])
        corp.cycle_now()
        before = corp.in_cloud()
        assert before == corp.in_active_directory()
        stop(corp)
        changes.set_attribute(connection, clerk, "title", "Acting head")
        changes.disable(connection, leaver)
        changes.remove_members(connection, team, clerk)
        changes.add_members(connection, team, leaver)
        changes.delete(connection, boss)
        changes.add_user(connection, unit, "Undone newcomer", "undone.newcomer", {"manager": clerk})
        changes.rename(connection, unit, "Done")
    written = corp.cycle_now(by="start")
    assert corp.in_cloud() == corp.in_active_directory() != before
    stop(corp)

    address = f"cycles/{written['id']}/undo/"
    shown = corp.client.get(address)
    assert (shown["leftAlone"], shown["wouldBeHeldFor"]) == ({}, [])
    undo = corp.client.post(address, {"fingerprint": shown["fingerprint"]})
    corp.until(lambda: corp.client.get(f"cycles/{undo['id']}/")["step"] == "done", "the undo ended")
    assert corp.client.get(f"cycles/{undo['id']}/")["count_failed"] == 0
    assert corp.in_cloud() == before
    job = corp.job
    assert (job["state"], job["state_reason"], job["next_run_at"]) == ("paused", "CycleUndone", None)

    corp.cycle_now(by="start")
    assert corp.in_cloud() == corp.in_active_directory()

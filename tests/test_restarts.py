"""PostgreSQL and the agents' listener are restarted in mid-life; everybody else finds the way back alone."""

from __future__ import annotations

import os
import signal

import pytest

from lab import changes
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]


@pytest.mark.parametrize(
    "how",
    [
        # A fast shutdown, as an administrator's restart begins with it.
        pytest.param(signal.SIGINT, id="restarted"),
        # A crash, where nobody collects the dead process.
        pytest.param(signal.SIGKILL, id="killed"),
    ],
)
def test_postgresql_goes_in_the_middle_of_a_cycle(corp: Site, how: signal.Signals) -> None:
    stack, database = corp.installation.stack, corp.database
    processes = {name: child.pid for name, child in stack.children.items()}
    postmaster = database.postmaster
    with database.writers_wait("provisioning_link") as somebody_waits:
        with corp.forest.connect() as connection:
            dn = changes.add_user(
                connection, corp.company.root_dn, f"Through {how.name}", f"through.{how.name}"
            )
            guid = changes.object_guid(connection, dn)
        corp.until(somebody_waits, "the worker is in the middle of an export")
        os.kill(postmaster, how)
        corp.until(lambda: database.has_other_server_than(postmaster), "PostgreSQL is back")

    corp.until(lambda: corp.answers() and corp.present(guid), "the cycle that was cut off went on")
    corp.cycle_now()
    assert corp.in_cloud() == corp.in_active_directory()
    rows = corp.log(object_guid=str(guid))
    assert [(row["action"], row["status"]) for row in rows] == [("Create", "Success")]
    assert {name: child.pid for name, child in stack.children.items() if child.running} == processes
    assert all(agent.process.running for agent in corp.agents)


def test_the_listener_is_restarted_and_no_cycle_is_lost(corp: Site) -> None:
    stack = corp.installation.stack
    before = corp.cycle_now()
    stack.children["hybrid"].stop()
    stack.wait_until_ready(stack.start_process("hybrid"))
    after = corp.cycle_now()
    between = [one for one in corp.cycles() if before["id"] <= one["id"] <= after["id"]]
    assert [one["step"] for one in between] == ["done"] * len(between)
    assert all(agent.process.running for agent in corp.agents)

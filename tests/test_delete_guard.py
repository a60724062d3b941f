"""A cycle that would take too much away waits for a person, who is told by mail."""

from __future__ import annotations

from uuid import UUID

import pytest

from lab import changes
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

THRESHOLD = 5


def delete_at_once(corp: Site, how_many: int, named: str) -> list[UUID]:
    """Users that were in the directory and are deleted in AD, all between two cycles."""
    names = [f"{named} {number}" for number in range(how_many)]
    with corp.forest.connect() as connection:
        dns = [
            changes.add_user(connection, corp.company.root_dn, name, name.replace(" ", ".")) for name in names
        ]
        guids = [changes.object_guid(connection, dn) for dn in dns]
        corp.cycle_now()
        corp.steer("pause")
        corp.until(lambda: corp.job["current_cycle"] is None, "no cycle is under way")
        for dn in dns:
            changes.delete(connection, dn)
    return guids


def present(corp: Site, guids: list[UUID]) -> list[bool]:
    return [corp.user(guid)["deleted_at"] is None for guid in guids]


def test_too_many_deletions_are_held_told_and_done_once_allowed(corp: Site) -> None:
    corp.installation.mailbox.clear()
    victims = delete_at_once(corp, THRESHOLD, "allowed")
    held = corp.cycle_now("held", by="start")
    assert (corp.job["state"], corp.job["state_reason"]) == ("held", "TooManyDeletes")
    assert present(corp, victims) == [True] * THRESHOLD
    removals = corp.client.all(f"jobs/{corp.job_id}/removals/")
    assert {(one["kind"], one["guid"]) for one in removals} == {("delete", str(guid)) for guid in victims}
    [mail] = corp.wait_for_mails(1)
    assert f"would delete {THRESHOLD} and disable 0" in mail["Subject"]
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    link = f"{corp.installation.stack.console_url}/admin/"
    assert link in plain.get_content()
    assert link in html.get_content()

    corp.steer("allow-deletes")
    corp.until(lambda: corp.client.get(f"cycles/{held['id']}/")["step"] == "done", "the held cycle ended")
    assert present(corp, victims) == [False] * THRESHOLD
    assert corp.next_cycle()["count_planned"] == 0
    assert len(corp.mails()) == 1


def test_rejected_deletions_are_not_done(corp: Site) -> None:
    victims = delete_at_once(corp, THRESHOLD, "rejected")
    held = corp.cycle_now("held", by="start")
    corp.steer("reject-deletes")
    assert corp.job["state"] == "paused"
    assert corp.client.get(f"cycles/{held['id']}/")["step"] == "failed"
    assert present(corp, victims) == [True] * THRESHOLD

    # Whoever wants them gone after all lets them go by starting again.
    corp.cycle_now("held", by="start")
    assert present(corp, victims) == [True] * THRESHOLD
    corp.steer("allow-deletes")
    corp.until(lambda: present(corp, victims) == [False] * THRESHOLD, "the deletions are done")


def test_one_deletion_fewer_passes(corp: Site) -> None:
    passing = delete_at_once(corp, THRESHOLD - 1, "passing")
    corp.cycle_now(by="start")
    assert present(corp, passing) == [False] * (THRESHOLD - 1)

"""A domain that loses its last agent is flagged and told of; with a new agent all is well again."""

from __future__ import annotations

import pytest

from lab.portal_client import Document
from tests.sites import Site

pytestmark = [pytest.mark.stack, pytest.mark.forest]

EXIT_REVOKED = 3


def flagged(corp: Site) -> bool:
    heartbeat: Document = corp.client.get("heartbeat")
    return corp.forest.dns_name in {one["fqdn"] for one in heartbeat["agentless_domains"]}


def revoke_all(corp: Site) -> None:
    for agent in corp.agents:
        corp.client.post(f"agents/{agent.id}/revoke/")


def test_the_last_agent_of_a_domain_is_revoked(corp: Site) -> None:
    corp.installation.mailbox.clear()
    assert not flagged(corp)
    revoke_all(corp)
    assert flagged(corp)
    failed = corp.cycle_now("failed")
    assert failed["error_code"] == "HybridIdentityServiceNoAgentsAssigned"
    for agent in corp.agents:
        corp.until(lambda agent=agent: not agent.process.running, f"{agent.name} stopped")  # type: ignore[misc]
        assert agent.process.exit_status == EXIT_REVOKED
    [mail] = corp.wait_for_mails(1)
    assert mail["Subject"] == f"No active agent: {corp.forest.dns_name}"

    corp.replace_agents("corp-2")
    assert not flagged(corp)
    corp.cycle_now()
    assert len(corp.mails()) == 1


def test_a_mail_that_the_server_refuses_is_sent_later_and_once(corp: Site) -> None:
    mailbox = corp.installation.mailbox
    mailbox.clear()
    mailbox.stop()
    try:
        revoke_all(corp)
        corp.until(
            lambda: corp.last_notification() == ("domain_agentless", "pending", 1), "a mail is refused"
        )
    finally:
        mailbox.start()
    # A minute passes.
    corp.database.change(
        "UPDATE provisioning_notification SET next_attempt_at = now() WHERE state = 'pending'"
    )
    corp.replace_agents("corp-3")
    corp.until(lambda: corp.last_notification() == ("domain_agentless", "sent", 2), "the mail is sent")
    corp.cycle_now()
    assert len(corp.mails()) == 1

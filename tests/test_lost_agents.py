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


def test_the_last_agent_of_a_domain_is_revoked(corp: Site) -> None:
    corp.installation.mailbox.clear()
    revoked = list(corp.agents)
    assert not flagged(corp)
    for agent in revoked:
        corp.client.post(f"agents/{agent.id}/revoke/")

    assert flagged(corp)
    [mail] = corp.wait_for_mails(1)
    assert mail["Subject"] == f"No active agent: {corp.forest.dns_name}"
    failed = corp.cycle_now("failed")
    assert failed["error_code"] == "HybridIdentityServiceNoAgentsAssigned"
    for agent in revoked:
        corp.until(lambda agent=agent: not agent.process.running, f"{agent.name} stopped")  # type: ignore[misc]
        assert agent.process.exit_status == EXIT_REVOKED

    corp.replace_agents("corp-new")
    assert not flagged(corp)
    corp.next_cycle()
    assert len(corp.mails()) == 1

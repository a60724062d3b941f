"""``isthmus-agent run``: the real process between a real domain controller and a portal over HTTPS."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.agent.host import AgentHost
from lab.agent.portal_server import Fault, Handler, Portal, hang_up, proxy_page, refuse
from lab.agent.reading import question
from lab.population import Company
from lab.pytest_forest import ForestFactory
from lab.samba import SambaForest
from provisioning_agent.wire.errors import ERROR_EXTENSION, WireError
from provisioning_agent.wire.pages import PAGE_SCHEMA

pytestmark = pytest.mark.forest

QUICK_S = 6


@contextmanager
def paused(forest: SambaForest) -> Iterator[None]:
    """A controller that accepts connections and then says nothing, until the end of the block."""
    os.killpg(forest.server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(forest.server.pid, signal.SIGCONT)


def test_a_request_is_answered_in_pages(
    host: AgentHost, portal: Portal, forest: SambaForest, forest_company: Company
) -> None:
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name, page_size=20))
    assert queued.done.wait(20)
    assert len(queued.objects()) >= len(forest_company.user_dns) + len(forest_company.group_dns)
    assert sorted(queued.pages) == list(range(1, len(queued.pages) + 1))
    cursors = [queued.pages[number].get("nextCursor") for number in sorted(queued.pages)]
    assert cursors == [str(number) for number in range(2, len(queued.pages) + 1)] + [None]


def test_initial_and_delta_follow_each_other(host: AgentHost, portal: Portal, forest: SambaForest) -> None:
    host.enrolled_and_running()
    first = portal.ask(question(forest.dns_name))
    assert first.done.wait(20)
    watermark = first.pages[max(first.pages)][PAGE_SCHEMA]["watermark"]
    second = portal.ask(question(forest.dns_name, watermark=watermark))
    assert second.done.wait(20)
    assert second.pages[1][PAGE_SCHEMA]["mode"] == "delta"


def test_two_requests_are_answered_at_the_same_time(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    host.enrolled_and_running()
    both = [portal.ask(question(forest.dns_name)) for _ in range(2)]
    assert all(queued.done.wait(20) for queued in both)
    assert [queued.failures for queued in both] == [[], []]


@pytest.mark.parametrize(
    "fault", [hang_up, proxy_page(502), proxy_page(403), refuse(WireError("ServiceUnavailable"))]
)
def test_a_page_that_does_not_get_through_is_sent_again(
    host: AgentHost, portal: Portal, forest: SambaForest, fault: Fault
) -> None:
    portal.faults["POST", "pages/2"] += [fault, fault]
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name, page_size=20))
    assert queued.done.wait(30)
    assert queued.failures == []
    assert len(queued.pages) > 2


def test_a_request_given_to_somebody_else_is_dropped(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    portal.faults["POST", "pages/1"].append(refuse(WireError("RequestNotYours")))
    host.enrolled_and_running()
    dropped = portal.ask(question(forest.dns_name, page_size=20))
    host.wait_for_log("code=RequestNotYours")
    assert (dropped.pages, dropped.failures) == ({}, [])
    following = portal.ask(question(forest.dns_name))
    assert following.done.wait(20)
    assert following.pages


def test_a_page_the_portal_can_not_use_fails_the_request(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    portal.faults["POST", "pages/1"].append(refuse(WireError("MalformedPage")))
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(20)
    assert queued.failure_code == "MalformedPage"


def test_a_refused_bus_token_leads_to_a_new_bootstrap(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    host.enrolled_and_running()
    portal.bus_tokens.clear()
    portal.wait_for(lambda: len(portal.bootstraps) >= 2)
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(20)
    assert queued.pages


def test_a_portal_that_is_away_is_waited_for(host: AgentHost, portal: Portal) -> None:
    host.enrol()
    portal.faults["POST", "bootstrap"] += [hang_up, proxy_page(502), refuse(WireError("TooManyRequests"))]
    host.run()
    portal.wait_for(lambda: bool(portal.bootstraps))
    assert portal.bootstraps[0]["consecutiveFailures"] == 3
    assert [error["code"] for error in portal.bootstraps[0]["lastErrors"]] == [
        "PortalUnreachable",
        "UnreadableAnswer",
        "TooManyRequests",
    ]


@pytest.mark.parametrize("place", [("POST", "bootstrap"), ("GET", "bus")])
def test_a_revoked_agent_says_so_and_stops(host: AgentHost, portal: Portal, place: tuple[str, str]) -> None:
    host.enrol()
    portal.faults[place].append(refuse(WireError("AgentRevoked")))
    process = host.run()
    assert process.wait(20) == 3
    assert "AgentRevoked" in host.text()


def test_a_certificate_is_renewed_when_the_portal_says_so(host: AgentHost, portal: Portal) -> None:
    host.enrol()
    before = (host.state / "identity.pem").read_bytes()
    portal.renew_certificate = True
    host.run()
    portal.wait_for(lambda: bool(portal.bootstraps) and not portal.renew_certificate)
    host.wait_for_log("event=certificate-renewed")
    assert (host.state / "identity.pem").read_bytes() != before
    portal.bus_tokens.clear()
    portal.wait_for(lambda: len(portal.bootstraps) >= 2)


def test_sigterm_ends_an_idle_agent(host: AgentHost) -> None:
    process = host.enrolled_and_running()
    assert host.stop(process, QUICK_S) == 0


def test_sigterm_hands_an_unfinished_request_back(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    process = host.enrolled_and_running()
    with paused(forest):
        queued = portal.ask(question(forest.dns_name))
        portal.wait_for(lambda: queued.leased)
        assert host.stop(process, QUICK_S) == 0
    assert (queued.handed_back, queued.failures) == (1, [])


def test_a_lease_is_kept_while_the_directory_is_slow(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    portal.lease_seconds = 0.6
    host.enrolled_and_running()
    with paused(forest):
        queued = portal.ask(question(forest.dns_name))
        portal.wait_for(lambda: queued.renewals >= 3)
    assert queued.done.wait(20)
    assert queued.failures == []


def test_a_domain_that_is_not_served_is_a_failure(host: AgentHost, portal: Portal) -> None:
    host.enrolled_and_running()
    queued = portal.ask(question("elsewhere.example"))
    assert queued.done.wait(20)
    assert queued.failure_code == "DomainUnknown"


def test_a_wrong_password_is_reported_and_the_right_one_needs_no_restart(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    host.enrolled_and_running()
    kept = host.state / "secrets" / f"{forest.dns_name}.password"
    right = kept.read_text()
    kept.write_text("wrong")
    refused = portal.ask(question(forest.dns_name))
    assert refused.done.wait(20)
    assert (refused.failure_code, refused.failures[0][ERROR_EXTENSION]["retry"]) == ("AdBindFailed", False)
    kept.write_text(right)
    answered = portal.ask(question(forest.dns_name))
    assert answered.done.wait(20)
    assert answered.pages


def test_a_directory_that_is_down_hands_the_request_to_another_agent(
    host: AgentHost, portal: Portal, make_forest: ForestFactory
) -> None:
    short_lived = make_forest("short.example", "SHORT")
    host.forest, host.account = short_lived, short_lived.account("isthmus-agent")
    host.password_file.write_text(host.account.password)
    host.enrolled_and_running()
    short_lived.stop()
    queued = portal.ask(question(short_lived.dns_name))
    assert queued.done.wait(20)
    assert (queued.failure_code, queued.failures[0][ERROR_EXTENSION]["retry"]) == ("AdUnreachable", True)
    assert host.status()["domains"][0]["code"] == "AdUnreachable"


def test_an_answer_that_breaks_off_is_never_completed(
    host: AgentHost, portal: Portal, make_forest: ForestFactory
) -> None:
    fragile = make_forest("fragile.example", "FRAGILE")
    host.forest, host.account = fragile, fragile.account("isthmus-agent")
    host.password_file.write_text(host.account.password)

    def lose_the_directory(handler: Handler) -> None:
        fragile.stop()
        hang_up(handler)

    portal.faults["POST", "pages/1"].append(lose_the_directory)
    host.enrolled_and_running()
    queued = portal.ask(question(fragile.dns_name, page_size=2))
    assert queued.done.wait(30)
    assert queued.failure_code in {"AdConnectionLost", "AdUnreachable"}
    assert not any(page[PAGE_SCHEMA]["complete"] for page in queued.pages.values())


def test_status_tells_what_the_agent_did(host: AgentHost, portal: Portal, forest: SambaForest) -> None:
    process = host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(20)
    host.wait_for_log("event=answered")
    report = host.status()
    assert report["running"] is True
    assert report["counters"]["requests"] == 1
    assert report["certificate"]["daysLeft"] in (179, 180)
    assert report["domains"] == [
        {
            "fqdn": forest.dns_name,
            "servers": [f"{forest.address}:636"],
            "account": host.account.user_principal_name,
            "reachable": True,
            "controller": forest.host_name,
        }
    ]
    assert report["lastBootstrapAt"]
    host.stop(process)
    assert host.status()["running"] is False


def test_a_second_agent_in_the_same_directory_is_refused(host: AgentHost) -> None:
    host.enrolled_and_running()
    second = host.command("run", f"--state-dir={host.state}")
    assert (second.returncode, second.stderr.split(":")[0]) == (4, "AlreadyRunning")


def test_neither_secrets_nor_attribute_values_are_logged(
    host: AgentHost, portal: Portal, forest: SambaForest, forest_company: Company
) -> None:
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name))
    assert queued.done.wait(20)
    host.wait_for_log("event=answered")
    log = host.text()
    assert host.account.password not in log
    assert not any(token in log for token in portal.bus_tokens)
    assert not any(name in log for name in (forest_company.account_name(1), forest.base_dn))


def test_a_bootstrap_tells_what_was_done_since_the_start(
    host: AgentHost, portal: Portal, forest: SambaForest
) -> None:
    portal.faults["GET", "bus"].append(hang_up)
    host.enrolled_and_running()
    queued = portal.ask(question(forest.dns_name, page_size=20))
    assert queued.done.wait(20)
    host.wait_for_log("event=answered")
    portal.wait_for(lambda: bool(host.status()["counters"].get("reconnects")))
    portal.bus_tokens.clear()
    portal.wait_for(lambda: len(portal.bootstraps) >= 2)
    first, second = portal.bootstraps[0], portal.bootstraps[1]
    assert first["instance"] == second["instance"]
    assert len(second["host"]) == 64
    counters = second["counters"]
    assert (counters["requests"], counters["resources"]) == (1, len(queued.objects()))
    assert counters["bytes"] == sum(queued.page_bytes)
    assert counters["reconnects"] >= 1


def test_the_correlation_id_of_the_cycle_is_on_every_ldap_search(
    host: AgentHost, portal: Portal, forest: SambaForest, forest_company: Company
) -> None:
    portal.faults["POST", "pages/1"].append(refuse(WireError("ServiceUnavailable")))
    assert host.enrol().returncode == 0
    host.run("--verbose")
    wanted = question(forest.dns_name, page_size=20)
    assert portal.ask(wanted).done.wait(30)
    assert portal.ask(question("elsewhere.example")).done.wait(20)
    host.wait_for_log("event=not-answered")
    host.wait_for_log("event=answered")
    lines = host.text().splitlines()
    for event in ("ldap-search", "page-delayed", "answered", "not-answered"):
        found = [line for line in lines if f" event={event} " in line]
        assert found, event
        assert all(line.count(f" correlation={wanted.correlation_id}") == 1 for line in found), event
    kept = [json.loads(line) for line in (host.state / "logs/agent.log").read_text().splitlines()]
    searches = [line for line in kept if line.get("event") == "ldap-search"]
    assert {line["correlation"] for line in searches} == {wanted.correlation_id}
    assert not any(name in host.text() for name in (forest_company.account_name(1), forest.base_dn))

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connections

from agents import bootstrap, events, heartbeat, revocation
from agents.facts import HostFacts
from agents.heartbeat import INTERVAL, flip_overdue, state_at
from agents.models import Agent, Domain, StateChange
from agents.tests.cast import NOW, later, make_agent, make_domain
from agents.tests.events import Heard
from provisioning_agent.wire.errors import WireError

FACTS = HostFacts("srv1", "0.1.0", "Debian", None)


@pytest.mark.parametrize(
    ("seconds", "state", "due"),
    [
        (0, "active", 660),
        (659, "active", 660),
        (660, "late", 3600),
        (3599, "late", 3600),
        (3600, "inactive", None),
        (90_000, "inactive", None),
    ],
)
def test_the_state_is_a_function_of_the_last_bootstrap(seconds: int, state: str, due: int | None) -> None:
    found = state_at(NOW, INTERVAL, None, later(seconds=seconds))
    assert found == (state, None if due is None else later(seconds=due))


def test_an_agent_that_never_bootstrapped_is_inactive() -> None:
    assert state_at(None, INTERVAL, None, NOW) == ("inactive", None)


def test_a_revoked_agent_is_revoked_whatever_it_did() -> None:
    assert state_at(NOW, INTERVAL, NOW, NOW) == ("revoked", None)


@pytest.mark.django_db
def test_nothing_flips_before_it_is_due() -> None:
    make_agent()
    assert flip_overdue(later(seconds=659)) == 0
    assert not StateChange.objects.exists()


@pytest.mark.django_db
def test_a_missed_bootstrap_is_recorded_once_at_its_own_moment() -> None:
    member = make_agent()
    assert flip_overdue(later(seconds=667)) == 1
    assert flip_overdue(later(seconds=668)) == 0
    change = StateChange.objects.get()
    assert (change.before, change.after, change.at) == ("active", "late", later(seconds=660))
    assert Agent.objects.get(pk=member.id).state == "late"


@pytest.mark.django_db
def test_a_checker_that_was_away_records_every_flip_it_missed() -> None:
    make_agent()
    flip_overdue(later(hours=5))
    rows = StateChange.objects.order_by("at").values_list("at", "before", "after")
    assert list(rows) == [
        (later(seconds=660), "active", "late"),
        (later(hours=1), "late", "inactive"),
    ]


@pytest.mark.django_db
def test_a_domain_is_agentless_once_its_last_agent_is_inactive(heard: Heard) -> None:
    domain = make_domain()
    make_agent(domain)
    make_agent(domain, name="srv2", bootstrapped_at=later(minutes=5))
    flip_overdue(later(minutes=61))
    assert heard.agentless == []
    flip_overdue(later(minutes=66))
    flip_overdue(later(minutes=67))
    assert heard.agentless == [("corp.example", later(minutes=66))]
    assert Domain.objects.get().agentless_since == later(minutes=66)


@pytest.mark.django_db
def test_a_late_agent_still_counts_for_its_domain(heard: Heard) -> None:
    make_agent(make_domain())
    flip_overdue(later(minutes=20))
    assert heard.agentless == []


@pytest.mark.django_db
def test_the_domain_recovers_with_the_next_bootstrap(heard: Heard) -> None:
    member = make_agent(make_domain())
    flip_overdue(later(hours=2))
    bootstrap.bootstrap(member.identity(), FACTS, {}, later(hours=3))
    bootstrap.bootstrap(member.identity(), FACTS, {}, later(hours=3, minutes=10))
    assert heard.recovered == [("corp.example", later(hours=3))]
    assert Domain.objects.get().agentless_since is None
    agent = Agent.objects.get()
    assert (agent.state, agent.last_bootstrap_at) == ("active", later(hours=3, minutes=10))
    assert agent.next_bootstrap_at == later(hours=3, minutes=20)
    assert StateChange.objects.filter(after="active").count() == 1


@pytest.mark.django_db
def test_revoking_the_last_agent_leaves_the_domain_agentless(heard: Heard) -> None:
    member = make_agent(make_domain())
    assert revocation.revoke(member.agent, later(minutes=1))
    assert not revocation.revoke(member.agent, later(minutes=2))
    assert heard.agentless == [("corp.example", later(minutes=1))]
    assert StateChange.objects.get().after == "revoked"
    with pytest.raises(WireError, match="AgentRevoked"):
        bootstrap.bootstrap(member.identity(), FACTS, {}, later(minutes=3))


@pytest.mark.django_db
def test_a_revoked_agent_never_flips_again() -> None:
    member = make_agent()
    revocation.revoke(member.agent, later(minutes=1))
    assert flip_overdue(later(hours=5)) == 0


@pytest.mark.django_db
def test_an_agent_that_can_not_be_flipped_does_not_hold_up_the_others() -> None:
    make_agent(make_domain())
    make_agent(make_domain("other.example", 2), name="srv2", bootstrapped_at=later(seconds=1))

    def broken(domain: Domain, at: datetime) -> None:
        if domain.fqdn == "corp.example":
            raise RuntimeError("listener broke")

    events.on_domain_agentless(broken)
    try:
        with pytest.raises(RuntimeError, match="listener broke"):
            flip_overdue(later(hours=2))
        assert flip_overdue(later(hours=2)) == 1
    finally:
        events._agentless.remove(broken)
    assert Agent.objects.get(name="srv1").state_due_at == later(hours=2) + heartbeat.DEFERRED
    assert Agent.objects.get(name="srv2").state == "inactive"


@pytest.mark.django_db(transaction=True)
def test_two_agents_going_at_once_leave_the_domain_agentless_once(heard: Heard) -> None:
    domain = make_domain()
    members = [make_agent(domain, name=f"srv{number}") for number in range(4)]
    together = threading.Barrier(len(members))

    def go(index: int) -> None:
        try:
            together.wait(timeout=20)
            if index % 2:
                revocation.revoke(members[index].agent, later(hours=2))
            else:
                flip_overdue(later(hours=2))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(go, range(len(members))))
    assert heard.agentless == [("corp.example", later(hours=2))]
    assert StateChange.objects.filter(after="inactive").count() <= len(members)
    assert not Agent.objects.filter(state_due_at__lte=later(hours=2)).exists()


def test_the_interval_is_the_wires() -> None:
    assert timedelta(minutes=10) == INTERVAL

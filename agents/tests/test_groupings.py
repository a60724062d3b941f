from __future__ import annotations

import pytest

from agents.bus.requests import availability
from agents.facts import DomainFacts
from agents.groupings import assign
from agents.heartbeat import flip_overdue
from agents.models import Domain
from agents.revocation import revoke
from agents.tests.cast import later, make_agent, make_domain
from agents.tests.events import Heard
from provisioning_agent.wire.errors import WireError

pytestmark = pytest.mark.django_db


def facts(fqdn: str = "corp.example", number: int = 1) -> DomainFacts:
    return DomainFacts(fqdn, fqdn.split(".")[0].upper(), fqdn, f"S-1-5-21-1-2-{number}")


def test_a_new_domain_is_made_and_a_known_one_is_shared() -> None:
    first, second = make_agent(), make_agent(name="srv2")
    made = assign(first.identity(), [facts()], later())
    again = assign(second.identity(), [facts(), facts("b.example", 2)], later())
    assert again[0] == made[0]
    assert [domain.fqdn for domain in again] == ["corp.example", "b.example"]
    assert made[0].agents.count() == 2


def test_the_list_replaces_the_one_before_and_may_leave_a_domain_agentless(heard: Heard) -> None:
    member = make_agent()
    assign(member.identity(), [facts(), facts("b.example", 2)], later())
    assign(member.identity(), [facts("b.example", 2)], later(minutes=1))
    assert heard.agentless == [("corp.example", later(minutes=1))]


def test_an_active_agent_that_takes_over_ends_the_agentless_time(heard: Heard) -> None:
    make_agent(make_domain())
    flip_overdue(later(hours=2))
    newcomer = make_agent(name="srv2", bootstrapped_at=later(hours=2))
    assign(newcomer.identity(), [facts()], later(hours=2))
    assert heard.recovered == [("corp.example", later(hours=2))]


def test_a_known_name_with_another_sid_is_refused_and_changes_nothing() -> None:
    member = make_agent(make_domain())
    with pytest.raises(WireError) as caught:
        assign(member.identity(), [facts("new.example", 5), facts(number=9)], later())
    assert caught.value.code == "DomainConflict"
    assert [domain.fqdn for domain in Domain.objects.all()] == ["corp.example"]


def test_whether_an_agent_may_answer_is_told_beforehand() -> None:
    domain = make_domain()
    assert availability(domain) == "HybridIdentityServiceNoAgentsAssigned"
    member = make_agent(domain)
    assert availability(domain) is None
    flip_overdue(later(minutes=20))
    assert availability(domain) is None
    flip_overdue(later(hours=2))
    assert availability(domain) == "HybridIdentityServiceNoActiveAgents"
    revoke(member.agent, later(hours=3))
    assert availability(domain) == "HybridIdentityServiceNoAgentsAssigned"

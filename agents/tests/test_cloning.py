"""One certificate used from two places: what gives it away, and who is told."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from agents import bootstrap, cloning, events
from agents.cloning import Known, Sign, sign_of_a_clone
from agents.facts import HostFacts, Presence
from agents.models import Agent, HealthSample
from agents.tests.cast import Member, later, make_agent, make_domain

A, B = uuid.uuid4(), uuid.uuid4()
KNOWN = Known(A, "host-a", frozenset({"newest", "before"}), is_alive=True)
FACTS = HostFacts("srv1", "0.1.0", "Debian", "192.0.2.1")
ELSEWHERE = HostFacts("srv1", "0.1.0", "Debian", "192.0.2.2")


@pytest.mark.parametrize(
    ("known", "presence", "heard_before", "expected"),
    [
        pytest.param(None, Presence(A, "host-a", ""), False, None, id="the first bootstrap"),
        pytest.param(KNOWN, Presence(A, "host-a", "newest"), True, None, id="goes on"),
        pytest.param(KNOWN, Presence(A, "host-a", "before"), True, None, id="an answer was lost"),
        pytest.param(KNOWN, Presence(B, "host-a", "newest"), False, None, id="restarted"),
        pytest.param(KNOWN, Presence(B, "host-a", "older"), False, None, id="restored on its host"),
        pytest.param(KNOWN, Presence(B, "host-b", "newest"), False, None, id="moved with its state"),
        pytest.param(KNOWN, Presence(B, "host-b", ""), False, None, id="enrolled anew elsewhere"),
        pytest.param(
            KNOWN, Presence(B, "host-b", "older"), False, Sign.OLD_STATE, id="an old copy elsewhere"
        ),
        pytest.param(
            Known(A, "host-a", frozenset({"newest"}), is_alive=False),
            Presence(B, "host-b", "older"),
            False,
            None,
            id="restored elsewhere after the first died",
        ),
        pytest.param(KNOWN, Presence(B, "host-a", "newest"), True, Sign.RETURNED, id="two processes in turn"),
    ],
)
def test_what_gives_a_clone_away(
    known: Known | None, presence: Presence, heard_before: bool, expected: Sign | None
) -> None:
    assert sign_of_a_clone(known, presence, heard_before=heard_before) == expected


def call(member: Member, presence: Presence, facts: HostFacts = FACTS, **parts: float) -> str:
    return bootstrap.bootstrap(member.identity(), facts, {}, later(**parts), presence).sequence


@pytest.fixture
def cloned() -> Iterator[list[str]]:
    """The evidence that listeners were told."""
    found: list[str] = []

    def listen(agent: Agent, at: object) -> None:
        found.append(agent.clone_evidence)

    events.on_agent_cloned(listen)
    yield found
    events._cloned.remove(listen)


@pytest.mark.django_db
def test_two_places_are_told_once_and_again_after_they_were_cleared(cloned: list[str]) -> None:
    member = make_agent(make_domain())
    first, second = Presence(A, "host-a", ""), Presence(B, "host-b", "")
    for minute, (presence, facts) in enumerate([(first, FACTS), (second, ELSEWHERE)] * 3):
        call(member, presence, facts, minutes=minute)
    assert len(cloned) == 1
    assert "192.0.2.1" in cloned[0]
    assert "192.0.2.2" in cloned[0]
    assert cloning.clear(Agent.objects.get())
    call(member, first, minutes=10)
    call(member, first, minutes=11)
    assert Agent.objects.get().cloned_since is None
    call(member, second, ELSEWHERE, minutes=12)
    assert Agent.objects.get().cloned_since == later(minutes=12)
    assert len(cloned) == 2


@pytest.mark.django_db
def test_the_agents_doctor_is_no_second_place(cloned: list[str]) -> None:
    member = make_agent()
    given = call(member, Presence(A, "host-a", ""))
    bootstrap.bootstrap(member.identity(), FACTS, {}, later(minutes=1))
    call(member, Presence(A, "host-a", given), minutes=2)
    assert cloned == []
    assert HealthSample.objects.count() == 2

"""What other apps may want to hear of domains; they register listeners in their ``AppConfig.ready``.

Listeners are called inside the transaction of the event, so that what they write stands or falls with it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agents.models import Agent, Domain

Listener = Callable[[Domain, datetime], None]
AgentListener = Callable[[Agent, datetime], None]

_agentless: list[Listener] = []
_recovered: list[Listener] = []
_cloned: list[AgentListener] = []
_changed: list[Listener] = []


def on_domain_agentless(listener: Listener) -> None:
    """Call ``listener`` when a domain loses its last agent that is active or late."""
    if listener not in _agentless:
        _agentless.append(listener)


def on_domain_recovered(listener: Listener) -> None:
    """Call ``listener`` when a domain without agents has one again."""
    if listener not in _recovered:
        _recovered.append(listener)


def on_agent_cloned(listener: AgentListener) -> None:
    """Call ``listener`` when two hosts are found to use one agent's certificate."""
    if listener not in _cloned:
        _cloned.append(listener)


def agent_cloned(agent: Agent, at: datetime) -> None:
    """Tell the listeners that an agent runs in two places."""
    for listener in _cloned:
        listener(agent, at)


def on_domain_changed(listener: Listener) -> None:
    """Call ``listener`` when an agent was notified that something in the domain has changed."""
    if listener not in _changed:
        _changed.append(listener)


def domain_agentless(domain: Domain, at: datetime) -> None:
    """Tell the listeners that the domain lost its last agent."""
    for listener in _agentless:
        listener(domain, at)


def domain_recovered(domain: Domain, at: datetime) -> None:
    """Tell the listeners that the domain has an agent again."""
    for listener in _recovered:
        listener(domain, at)


def domain_changed(domain: Domain, at: datetime) -> None:
    """Tell the listeners that something in the domain has changed."""
    for listener in _changed:
        listener(domain, at)

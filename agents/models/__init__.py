"""Tables of the hybrid identity service."""

from __future__ import annotations

from agents.models.agent import Agent, AgentState, Domain, ResourceGrouping
from agents.models.bus import BusPage, BusRequest, RequestState
from agents.models.enrolment import CertificateAuthority, EnrolmentToken, SeenAssertion
from agents.models.health import HealthSample
from agents.models.heartbeat import StateChange
from agents.models.updates import AgentRelease, UpdateFile, UpdateKey, UpdatePolicy

__all__ = [
    "Agent",
    "AgentRelease",
    "AgentState",
    "BusPage",
    "BusRequest",
    "CertificateAuthority",
    "Domain",
    "EnrolmentToken",
    "HealthSample",
    "RequestState",
    "ResourceGrouping",
    "SeenAssertion",
    "StateChange",
    "UpdateFile",
    "UpdateKey",
    "UpdatePolicy",
]

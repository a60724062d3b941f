"""What a registered agent calls with a signed assertion: bootstrap, resource groupings, renewal."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from agents import bootstrap, groupings, renewal, revocation
from agents.api import parsing
from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.api.times import iso
from agents.identity import Identity
from agents.update_policy import Advice
from provisioning_agent.wire.errors import WireError


async def post_bootstrap(service: Service, call: Call) -> Reply:
    """``POST bootstrap``: the sign of life, answered with the bus."""
    identity = await service.agent_by_assertion(call)
    body = await call.json()
    facts, presence, report = parsing.host_facts(body, call), parsing.presence(body), parsing.report(body)
    now = timezone.now()
    welcome = await service.threads.run(bootstrap.bootstrap, identity, facts, report, now, presence)
    return Reply(200, _welcome(welcome, now))


async def put_groupings(service: Service, call: Call, agent_id: str) -> Reply:
    """``PUT agents/{id}/resource-groupings``: the domains served from now on."""
    identity = await _agent_itself(service, call, agent_id)
    wanted = parsing.domains(await call.json())
    domains = await service.threads.run(groupings.assign, identity, wanted, timezone.now())
    content = [
        {"id": str(d.pk), "fqdn": d.fqdn, "netbios": d.netbios, "forest": d.forest, "sid": d.sid}
        for d in domains
    ]
    return Reply(200, {"domains": content})


async def delete_agent(service: Service, call: Call, agent_id: str) -> Reply:
    """``DELETE agents/{id}``: the agent was uninstalled and takes itself off."""
    identity = await _agent_itself(service, call, agent_id)
    await service.threads.run(revocation.deregister, identity, timezone.now())
    return Reply(204)


async def post_certificates(service: Service, call: Call) -> Reply:
    """``POST certificates``: a new certificate in the last 30 days of the old one."""
    identity = await service.agent_by_assertion(call)
    csr = parsing.csr(await call.json())
    agent = await service.threads.run(renewal.renew, identity, csr, timezone.now())
    content = {"certificate": agent.certificate, "notAfter": iso(agent.certificate_not_after)}
    return Reply(200, content)


async def _agent_itself(service: Service, call: Call, agent_id: str) -> Identity:
    identity = await service.agent_by_assertion(call)
    if UUID(agent_id) != identity.agent_id:
        raise WireError("AssertionInvalid", "The call names another agent than its signature; enrol again.")
    return identity


def _welcome(welcome: bootstrap.Welcome, now: datetime) -> dict[str, Any]:
    return {
        "bus": [{"url": url} for url in welcome.bus_urls],
        "busToken": welcome.bus_token,
        "busTokenExpiresAt": iso(welcome.bus_token_expires_at),
        "bootstrapIntervalSeconds": settings.BOOTSTRAP_INTERVAL_S,
        "renewCertificate": welcome.renew_certificate,
        "serverTime": iso(now),
        "domains": list(welcome.domains),
        "sequence": welcome.sequence,
        "changeNotification": welcome.listen,
        "update": _update(welcome),
        "updateAdvice": _advice(welcome.update_advice),
    }


def _advice(advice: Advice) -> dict[str, str | None]:
    return {
        "version": advice.version,
        "reason": advice.reason.value,
        "at": iso(advice.at) if advice.at else None,
    }


def _update(welcome: bootstrap.Welcome) -> dict[str, str] | None:
    offer = welcome.update
    return None if offer is None else {"version": offer.version, "target": offer.target}

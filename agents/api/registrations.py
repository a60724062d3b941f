"""``POST registrations``: a one-time token and a certificate request, answered with a certificate."""

from __future__ import annotations

from django.utils import timezone

from agents import enrolment
from agents.api import parsing
from agents.api.http import Call, Reply
from agents.api.service import Service
from agents.api.times import iso


async def register(service: Service, call: Call) -> Reply:
    """Let a new agent in."""
    body = await call.json()
    facts, csr = parsing.host_facts(body, call), parsing.csr(body)
    done = await service.threads.run(enrolment.register, call.bearer(), csr, facts, timezone.now())
    content = {
        "agentId": done.agent_id,
        "certificate": done.certificate,
        "caCertificate": done.authority,
        "notAfter": iso(done.not_after),
    }
    return Reply(201, content)

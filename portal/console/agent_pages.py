"""What is done to one agent, beside its page of facts."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect

from agents import cloning
from agents.models import Agent
from portal.console import audit


def clear_clone(site: AdminSite, request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The copy of the agent is stopped: take the flag back."""
    if not request.user.has_perm("agents.change_agent"):
        raise PermissionDenied
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    agent = get_object_or_404(Agent, pk=agent_id)
    if cloning.clear(agent):
        audit.record(request.user, agent, "Two hosts: the copy is stopped")
        messages.success(request, f"{agent} counts as one again. A copy that goes on is flagged again.")
    return redirect("admin:agents_agent_change", agent_id)

"""When one agent takes a new version: the policy's form, and what it comes to right now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from agents.models import Agent, AgentRelease, UpdatePolicy
from agents.updates import advice
from portal.console import audit
from portal.console.widgets import TextInput

RELEASES = 20

if TYPE_CHECKING:
    _Form = forms.ModelForm[UpdatePolicy]
else:
    # Generic to the type checker only.
    _Form = forms.ModelForm


class PolicyForm(_Form):
    """The policy of one agent."""

    class Meta:
        model = UpdatePolicy
        fields = ("pinned_version", "at_once", "deferred_until", "window_start", "window_end", "timezone")
        labels: ClassVar[dict[str, str]] = {
            "deferred_until": "Not before (UTC)",
            "window_start": "Daily from",
        }
        widgets: ClassVar[dict[str, TextInput]] = dict.fromkeys(
            ("pinned_version", "deferred_until", "window_start", "window_end", "timezone"), TextInput()
        )


def page(site: AdminSite, request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Show and change it."""
    may_change = request.user.has_perm("agents.change_agent")
    if not request.user.has_perm("agents.view_agent") or (request.method == "POST" and not may_change):
        raise PermissionDenied
    agent = get_object_or_404(Agent, pk=agent_id)
    policy = UpdatePolicy.objects.filter(agent=agent).first() or UpdatePolicy(agent=agent)
    form = PolicyForm(request.POST or None, instance=policy)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record(request.user, agent, f"Update policy: {', '.join(form.changed_data) or 'unchanged'}")
        messages.success(request, f"Saved. {agent} learns of it at its next bootstrap.")
        return redirect("admin:update_policy", agent.pk)
    context: dict[str, Any] = {
        **site.each_context(request),
        "title": f"Updates of {agent}",
        "agent": agent,
        "form": form,
        "may_change": may_change,
        "advice": advice.for_agent(agent, timezone.now()),
        "releases": AgentRelease.objects.all()[:RELEASES],
    }
    return TemplateResponse(request, "console/update_policy.html", context)

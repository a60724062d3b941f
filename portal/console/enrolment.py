"""Letting an agent in, and putting one out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone

from agents import authority
from agents.enrolment import create_token
from agents.models import Agent
from agents.revocation import revoke as revoke_agent
from portal.console import audit
from portal.console.widgets import NumberInput, TextInput

LONGEST_HOURS = 24 * 30


class TokenForm(forms.Form):
    """What a one-time token is for, and how long it may wait to be used."""

    label = forms.CharField(
        max_length=120,
        required=False,
        widget=TextInput(),
        help_text="For you to recognise it by, for instance the host the agent will run on.",
    )
    domain = forms.CharField(
        label="AD domain",
        max_length=255,
        required=False,
        widget=TextInput(),
        help_text="Its DNS name, to be filled into the command. The token is not bound to it.",
    )
    hours = forms.IntegerField(
        label="Valid for (hours)",
        min_value=1,
        max_value=LONGEST_HOURS,
        initial=24,
        widget=NumberInput(),
        help_text="It works once; after this time it no longer works at all.",
    )


def page(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Create a token and show it once, inside the command to run."""
    if not request.user.has_perm("agents.add_enrolmenttoken"):
        raise PermissionDenied
    form = TokenForm(request.POST or None)
    context = {**site.each_context(request), "title": "Add an agent", "form": form}
    context["entra_tied"] = bool(settings.ENTRA_TENANT)
    if form.is_valid():
        lifetime = timedelta(hours=form.cleaned_data["hours"])
        token, clear_text = create_token(form.cleaned_data["label"], lifetime, request.user)
        context |= {
            "token": token,
            "clear_text": clear_text,
            "portal_url": settings.AGENT_URL,
            "domain": form.cleaned_data["domain"] or "corp.example",
        }
    response = TemplateResponse(request, "console/add_agent.html", context)
    response["Cache-Control"] = "no-store"
    return response


def authority_certificate(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The certificate of our own authority, for agents of a portal whose certificate it signed."""
    if not request.user.has_perm("agents.add_enrolmenttoken"):
        raise PermissionDenied
    pem = authority.current(timezone.now()).pem
    return HttpResponse(
        pem,
        content_type="application/x-pem-file",
        headers={"Content-Disposition": 'attachment; filename="portal-ca.pem"'},
    )


def revoke(site: AdminSite, request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Ask, then revoke: the agent's certificate and bus token stop working at once."""
    if not request.user.has_perm("agents.change_agent"):
        raise PermissionDenied
    agent = get_object_or_404(Agent, pk=agent_id)
    if request.method == "POST":
        if revoke_agent(agent, timezone.now()):
            audit.record(request.user, agent, "Revoked")
        messages.success(request, f"{agent} is revoked. To use that host again, enrol it anew.")
        return redirect("admin:agents_agent_change", agent.pk)
    context = {**site.each_context(request), "title": f"Revoke {agent}", "agent": agent}
    return TemplateResponse(request, "console/agent_revoke.html", context)

"""Agents: who they are, what they serve, and how they were lately."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from agents import health
from agents.models import Agent
from portal.console import badges, moments
from portal.console.base import ReadOnlyAdmin
from portal.console.site import site

STATE_CHANGES = 20
# Four hours at the usual interval.
HEALTH_SAMPLES = 25


@admin.register(Agent, site=site)
class AgentAdmin(ReadOnlyAdmin[Agent]):
    """Registered agents."""

    list_display = (
        "name",
        "state_badge",
        "domain_names",
        "last_bootstrap",
        "next_bootstrap",
        "version",
        "certificate",
    )
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("cloned_since", admin.EmptyFieldListFilter),
        ("domains", RelatedDropdownFilter),
    )
    search_fields = ("name", "external_ip")
    search_help_text = "Name of the host, or its address"
    ordering = ("name",)
    detail_template = "console/agent.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        """Agents with their domains, without the bulky columns."""
        return super().get_queryset(request).defer("report").prefetch_related("domains")

    def detail_context(self, request: HttpRequest, obj: Agent) -> Mapping[str, object]:
        """The agent's domains and latest changes of state."""
        may_change = request.user.has_perm("agents.change_agent")
        samples = list(obj.health.all()[: HEALTH_SAMPLES + 1])
        return {
            "health": health.intervals(samples),
            "latest": samples[0] if samples else None,
            "may_clear": may_change and obj.cloned_since is not None,
            "domains": list(obj.domains.all()),
            "state_changes": list(obj.state_changes.all()[:STATE_CHANGES]),
            "may_revoke": obj.revoked_at is None and may_change,
        }

    @admin.display(description="State", ordering="state")
    def state_badge(self, agent: Agent) -> SafeString:
        """The heartbeat's verdict."""
        label = agent.get_state_display()
        return badges.state_badge(agent.state, f"{label}, two hosts" if agent.cloned_since else label)

    @admin.display(description="Domains")
    def domain_names(self, agent: Agent) -> str:
        """The domains it serves."""
        return ", ".join(domain.fqdn for domain in agent.domains.all()) or "–"

    @admin.display(description="Last bootstrap", ordering="last_bootstrap_at")
    def last_bootstrap(self, agent: Agent) -> SafeString:
        """When it was last heard of."""
        return moments.moment_html(agent.last_bootstrap_at, timezone.now())

    @admin.display(description="Next due", ordering="next_bootstrap_at")
    def next_bootstrap(self, agent: Agent) -> SafeString:
        """When it is to bootstrap again."""
        return moments.moment_html(agent.next_bootstrap_at, timezone.now(), missing="–")

    @admin.display(description="Certificate expires", ordering="certificate_not_after")
    def certificate(self, agent: Agent) -> SafeString:
        """When its certificate ends."""
        return moments.moment_html(agent.certificate_not_after, timezone.now())

"""AD domains and who serves them."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from agents.liveness import ALIVE
from agents.models import Domain
from portal.console import badges, moments
from portal.console.base import ReadOnlyAdmin
from portal.console.site import site


@admin.register(Domain, site=site)
class DomainAdmin(ReadOnlyAdmin[Domain]):
    """Domains, created by the first agent that serves them."""

    list_display = ("fqdn", "coverage", "netbios", "forest", "sid")
    list_filter = ("forest",)
    search_fields = ("fqdn", "netbios", "sid")
    detail_template = "console/domain.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Domain]:
        """Domains with the number of their agents."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                agent_count=Count("agents", distinct=True),
                alive_count=Count("agents", filter=Q(agents__state__in=ALIVE), distinct=True),
            )
        )

    def detail_context(self, request: HttpRequest, obj: Domain) -> Mapping[str, object]:
        """The domain's agents and configurations."""
        return {
            "agents": list(obj.agents.defer("report", "certificate")),
            "configurations": list(obj.configurations.defer("schema").prefetch_related("jobs")),
        }

    @admin.display(description="Agents")
    def coverage(self, domain: Domain) -> SafeString:
        """How many of its agents are alive; red when none is."""
        alive, count = getattr(domain, "alive_count", 0), getattr(domain, "agent_count", 0)
        if domain.agentless_since is not None or not alive:
            since = f"Since {moments.exact(domain.agentless_since)}" if domain.agentless_since else ""
            return badges.badge("no active agent", badges.Tone.BAD, since)
        return badges.badge(f"{alive} of {count} active", badges.Tone.GOOD)

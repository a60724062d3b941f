"""The provisioning service as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class ProvisioningConfig(AppConfig):
    """Configurations, jobs, cycles, links and the log."""

    name = "provisioning"
    verbose_name = "Provisioning"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the hybrid identity service, which does not know us, what we want to hear of."""
        from agents import events
        from agents.bus import handlers
        from provisioning.services import notifications
        from provisioning.services.lookups import LOOKUP, Unheard
        from provisioning.services.starting import READ
        from provisioning.tasks import AnswerHandler, domain_changed

        handlers.register(READ, AnswerHandler())
        events.on_agent_cloned(notifications.agent_cloned)
        handlers.register(LOOKUP, Unheard())
        events.on_domain_agentless(notifications.domain_agentless)
        events.on_domain_changed(domain_changed)

"""The hybrid identity service as a Django app."""

from __future__ import annotations

from django.apps import AppConfig


class AgentsConfig(AppConfig):
    """Agents, domains, certificates, bootstrap and the service bus."""

    name = "agents"
    verbose_name = "Agents and domains"
    default_auto_field = "django.db.models.BigAutoField"

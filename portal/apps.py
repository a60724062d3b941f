"""The Django project as an app: screens, REST and management commands of the whole."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Console, REST and commands."""

    name = "portal"
    verbose_name = "Isthmus"

    def ready(self) -> None:
        """Make our Celery application the one that tasks are sent through, in every process."""
        from portal import celery

        celery.app.set_default()

"""The Django project as an app: screens, REST and management commands of the whole."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """Console, REST and commands."""

    name = "portal"
    verbose_name = "Isthmus"

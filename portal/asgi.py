"""The ASGI application: console and REST behind Django, the hybrid identity service in front of it."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from portal import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
embedded.ensure_running()
_console = get_asgi_application()

from agents.api.application import HybridIdentityService  # noqa: E402 - its models need Django to be set up

application = HybridIdentityService(_console)

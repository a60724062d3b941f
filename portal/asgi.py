"""The ASGI application: console, REST and the hybrid identity service."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

from portal import embedded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
embedded.ensure_running()

application = get_asgi_application()

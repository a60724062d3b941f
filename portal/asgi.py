"""The ASGI application: console and REST behind Django, the hybrid identity service in front of it."""

from __future__ import annotations

import os
from typing import cast

from django.core.asgi import get_asgi_application

from portal import embedded, garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
embedded.ensure_running()
_console = get_asgi_application()

# Their models need Django to be set up.
from agents.api.application import HybridIdentityService  # noqa: E402
from agents.api.http import Application  # noqa: E402

# Django's stubs describe ASGI by concrete dictionaries where the standard says mappings.
application = HybridIdentityService(cast(Application, _console))
garbage.collect_seldom()

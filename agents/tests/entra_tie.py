"""A portal that is tied to the laboratory's Entra, whose people sign in for an agent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from agents.tests.portal_process import Portal, database_url, run_portal
from lab.agent.entra_server import EntraServer

ROLE = "Agents.Enrol"


@contextmanager
def tied_portal(folder: Path, entra: EntraServer, *enrollers: str) -> Iterator[Portal]:
    """On the current database; who has ``ROLE`` may add agents, and whoever is named besides."""
    environment = {
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "ISTHMUS_VAR": str(settings.VAR_DIR),
        "ISTHMUS_ENTRA_TENANT": entra.tenant,
        "ISTHMUS_ENTRA_CLIENT_ID": entra.client_id,
        "ISTHMUS_ENTRA_ENROLLERS": ",".join((ROLE, *enrollers)),
        "ISTHMUS_ENTRA_LOGIN_URL": entra.login,
        "REQUESTS_CA_BUNDLE": str(entra.tls.ca),
    }
    with run_portal(folder, environment) as running:
        yield running

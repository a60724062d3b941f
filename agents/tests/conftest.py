"""The cast: a real portal process over TLS, and agents that own real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import DjangoDbBlocker

from agents.tests.events import Heard
from agents.tests.portal_process import Portal, database_url, run_portal


@pytest.fixture(scope="session")
def portal(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """uvicorn on the test database."""
    environment = {
        "DATABASE_URL": database_url(settings.DATABASES["default"]),
        "ISTHMUS_VAR": str(settings.VAR_DIR),
        # A lease short enough to see it expire, long enough not to expire by itself in a test.
        "ISTHMUS_BUS_LEASE": "60",
    }
    folder: Path = tmp_path_factory.mktemp("portal")
    with django_db_blocker.unblock(), run_portal(folder, environment) as running:
        yield running


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What the listeners of other apps would hear of domains and requests."""
    with Heard().listening() as listening:
        yield listening

"""The cast: an administrator, a viewer, a member of staff without rights, and an outsider."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from portal.tests import estate, factories

VIEWER_RIGHTS = (
    "agents.view_agent",
    "agents.view_domain",
    "provisioning.view_configuration",
    "provisioning.view_job",
    "provisioning.view_cycle",
    "provisioning.view_provisioninglogentry",
)


@pytest.fixture(autouse=True)
def _cheap_passwords(settings: Settings) -> None:
    """Hashing that is slow on purpose would be most of these tests' time."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def administrator(db: None) -> User:
    return factories.administrator()


@pytest.fixture
def console(administrator: User) -> Client:
    """A browser signed in as the administrator."""
    return _signed_in(administrator)


@pytest.fixture
def viewer_console(db: None) -> Client:
    """A browser of someone who may look at everything but the directory, and change nothing."""
    return _signed_in(factories.staff("viewer", *VIEWER_RIGHTS))


@pytest.fixture
def rightless_console(db: None) -> Client:
    """A browser of a member of staff without any rights."""
    return _signed_in(factories.staff("newcomer"))


@pytest.fixture
def outsider_console(db: None) -> Client:
    """A browser of someone with an account who is not staff."""
    return _signed_in(User.objects.create_user("outsider", password="correct horse battery"))


@pytest.fixture
def api(administrator: User) -> APIClient:
    """REST as the administrator."""
    return _rest(administrator)


@pytest.fixture
def viewer_api(db: None) -> APIClient:
    """REST as someone who may look."""
    return _rest(factories.staff("api-viewer", *VIEWER_RIGHTS))


@pytest.fixture
def built(db: None) -> estate.Estate:
    """A whole estate."""
    return estate.build()


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _rest(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client

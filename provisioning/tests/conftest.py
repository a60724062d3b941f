"""REST as an administrator."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient


@pytest.fixture
def api(transactional_db: None) -> APIClient:
    """A client with every right."""
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("admin", "admin@corp.example", "correct horse"))
    return client

"""The tie to Microsoft Entra: all of it, or nothing."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from django.core.exceptions import ImproperlyConfigured

from portal.settings import environment


class Tie(NamedTuple):
    """Tenant and application; empty where there is no tie."""

    tenant: str
    client_id: str
    enrollers: list[str]
    login_url: str


def read() -> Tie:
    """The tie in the environment."""
    tenant, client_id = _guid("ISTHMUS_ENTRA_TENANT"), _guid("ISTHMUS_ENTRA_CLIENT_ID")
    enrollers = environment.items("ISTHMUS_ENTRA_ENROLLERS")
    login = environment.origin(
        "ISTHMUS_ENTRA_LOGIN_URL", "https://login.microsoftonline.com", schemes=("https",)
    )
    if any((tenant, client_id, enrollers)) and not all((tenant, client_id, enrollers)):
        raise ImproperlyConfigured(
            "ISTHMUS_ENTRA_TENANT, ISTHMUS_ENTRA_CLIENT_ID and ISTHMUS_ENTRA_ENROLLERS belong together: set all three."
        )
    return Tie(tenant, client_id, enrollers, login)


def _guid(name: str) -> str:
    raw = environment.text(name, "").strip()
    try:
        return str(uuid.UUID(raw)) if raw else ""
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a GUID, as Entra shows it.") from None

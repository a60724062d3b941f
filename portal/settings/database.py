"""The database connection: ``DATABASE_URL``, or the embedded server when that is unset."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal import embedded
from portal.settings import environment

_OPTIONS = {"application_name": "isthmus", "connect_timeout": 10}


def settings() -> dict[str, Any]:
    """Django's ``DATABASES["default"]``."""
    url = environment.secret("DATABASE_URL")
    place = _from_url(url) if url else _embedded()
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_HEALTH_CHECKS": True,
        "CONN_MAX_AGE": 60,
        **place,
        "OPTIONS": {**_OPTIONS, **place.get("OPTIONS", {})},
    }


def _embedded() -> dict[str, Any]:
    return {
        "NAME": embedded.DATABASE,
        "USER": embedded.SUPERUSER,
        "HOST": str(embedded.socket_directory()),
    }


def _from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or len(parts.path) < 2:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:5432/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }

"""Typed readers for settings that come from the environment.

Every secret ``NAME`` may be given as ``NAME_FILE``, the path of a file that holds it. A value that
cannot be read stops the process at start with the variable's name and what is expected, never with the
value itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def text(name: str, default: str) -> str:
    """The variable as it stands, or the default when it is unset."""
    return os.environ.get(name, default)


def boolean(name: str, default: bool) -> bool:
    """``true``/``false``, ``yes``/``no`` or ``1``/``0``; anything else is refused."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    try:
        return _BOOLEANS[raw.strip().lower()]
    except KeyError:
        raise ImproperlyConfigured(f"{name} must be true or false.") from None


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    """A whole number between ``minimum`` and ``maximum``, both included."""
    raw = os.environ.get(name)
    if raw is None:
        return default
    if not raw.strip().lstrip("-").isdigit() or not minimum <= int(raw) <= maximum:
        raise ImproperlyConfigured(f"{name} must be a whole number from {minimum} to {maximum}.")
    return int(raw)


def items(name: str, default: str = "") -> list[str]:
    """A comma-separated list without its empty entries."""
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def secret(name: str) -> str | None:
    """The secret ``NAME``, or the content of the file that ``NAME_FILE`` names; None when neither is set."""
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error


def origin(name: str, default: str, *, schemes: tuple[str, ...]) -> str:
    """``scheme://host[:port]``. Plain http is accepted for loopback hosts only."""
    raw = os.environ.get(name, default).rstrip("/")
    parts = urlsplit(raw)
    if parts.scheme not in schemes or not parts.hostname or parts.path:
        raise ImproperlyConfigured(f"{name} must look like {schemes[0]}://host[:port].")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ImproperlyConfigured(f"{name} must be https unless the host is localhost.")
    return raw

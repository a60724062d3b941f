"""Keys that a first start generates when the environment names none, so that a checkout runs at once.

A deployment with more than one host sets them in the environment: the generated ones live on one disk only.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from portal.settings import environment


def read_or_create(variable: str, path: Path, generate: Callable[[], str]) -> str:
    """The secret from the environment, else from ``path``, which is created with mode 0600 when missing."""
    given = environment.secret(variable)
    if given:
        return given
    if not path.exists():
        _write_once(path, generate())
    return path.read_text(encoding="utf-8").strip()


def new_secret_key() -> str:
    """A Django secret key with 512 bits of entropy."""
    return secrets.token_urlsafe(64)


def new_sealing_key() -> str:
    """A Fernet key, as :mod:`portal.sealing` expects it."""
    return Fernet.generate_key().decode("ascii")


def _write_once(path: Path, value: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(value)
    try:
        os.link(temporary, path)  # fails when another process was first: its key is the one in use
    except FileExistsError:
        pass
    finally:
        temporary.unlink()

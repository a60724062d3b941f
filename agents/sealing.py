"""Sealing of secrets at rest with keys from the environment (Fernet: AES-128-CBC with HMAC-SHA256)."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(Exception):
    """A sealed value that none of the sealing keys opens; put the key that sealed it back in the list."""


def seal(secret: bytes) -> bytes:
    """Encrypt with the first sealing key."""
    return _keys().encrypt(secret)


def unseal(sealed: bytes | memoryview) -> bytes:
    """Decrypt with whichever sealing key fits; :class:`SealBroken` when none does."""
    try:
        return _keys().decrypt(bytes(sealed))
    except InvalidToken:
        raise SealBroken("None of the keys in ISTHMUS_SEALING_KEYS opens this secret.") from None


def reseal(sealed: bytes | memoryview) -> bytes:
    """The same secret under the first key, for rotation; :class:`SealBroken` when no key opens it."""
    return seal(unseal(sealed))


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in settings.SEALING_KEYS])

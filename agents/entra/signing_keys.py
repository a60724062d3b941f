"""Entra's signing keys, fetched from where its metadata says and kept for a day.

A key that is not known yet is looked for at most once a minute: whoever sends nonsense can not make us ask
Entra again and again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import requests
from jwt import PyJWK, PyJWKSet
from jwt.exceptions import PyJWTError

from agents.errors import refusal

KEPT_S: Final = 86_400.0
ASK_AGAIN_S: Final = 60.0
_TIMEOUT_S: Final = 10.0
_MAX_ANSWER: Final = 1024 * 1024


class SigningKeys:
    """The keys of one tenant. ``find`` may block for two HTTP calls: not for an event loop."""

    def __init__(self, metadata_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._metadata_url = metadata_url
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, PyJWK] = {}
        self._asked_at: float | None = None

    def find(self, key_id: str) -> PyJWK | None:
        """The key of that id, None if Entra has no such key; ``EntraUnreachable``."""
        with self._lock:
            if self._is_due(key_id):
                # Noted before: a failure is not repeated at once either.
                self._asked_at = self._clock()
                self._keys = self._fetch()
            return self._keys.get(key_id)

    def _is_due(self, key_id: str) -> bool:
        if self._asked_at is None:
            return True
        age = self._clock() - self._asked_at
        return age >= KEPT_S or (key_id not in self._keys and age >= ASK_AGAIN_S)

    def _fetch(self) -> Mapping[str, PyJWK]:
        try:
            where = str(_document(self._metadata_url)["jwks_uri"])
            if not where.startswith("https://"):
                raise refusal("EntraUnreachable", "Entra's metadata names keys that are not at https://.")
            found = PyJWKSet.from_dict(_document(where)).keys
        except (requests.RequestException, ValueError, KeyError, TypeError, PyJWTError) as error:
            raise refusal("EntraUnreachable") from error
        return {key.key_id: key for key in found if key.key_id and key.algorithm_name == "RS256"}


def _document(url: str) -> dict[str, Any]:
    with requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True) as response:
        if response.status_code != 200:
            raise ValueError(f"{url} answers {response.status_code}")
        content = response.raw.read(_MAX_ANSWER + 1, decode_content=True)
    if len(content) > _MAX_ANSWER:
        raise ValueError(f"{url} answers too much")
    value = orjson.loads(content)
    if not isinstance(value, dict):
        raise TypeError(f"{url} answers no JSON object")
    return value

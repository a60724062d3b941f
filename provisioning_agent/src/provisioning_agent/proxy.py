"""The agent's own proxy: its URL, and its credentials in a file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .errors import AgentError
from .files import read_secret, write_private

# What is said instead of a URL to have no proxy of one's own any more.
NONE: Final = "none"
PROXY_CREDENTIALS: Final = "proxy.credentials"


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """A proxy and the file with ``user:password`` for it; the URL itself never carries credentials."""

    url: str
    credentials_file: Path | None = None

    def headers(self) -> dict[str, str]:
        """``Proxy-Authorization`` (RFC 9110 §11.7.2, Basic), from the file as it is now."""
        if self.credentials_file is None:
            return {}
        return {"Proxy-Authorization": basic(read_secret(self.credentials_file))}


def parse(url: str, credentials_file: Path | None = None) -> ProxyConfig:
    """Check a proxy's URL and that its credentials can be read; ``ProxyInvalid`` says what is wrong."""
    parts = split(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise AgentError("ProxyInvalid")
    if "@" in parts.netloc:
        # Not repeated: the text holds a password.
        raise AgentError(
            "ProxyInvalid", "A proxy's URL has no user and password in it; put them into a file of their own."
        )
    if credentials_file is not None and ":" not in read_secret(credentials_file):
        raise AgentError("ProxyInvalid", f"{credentials_file} has to hold user:password on its first line.")
    return ProxyConfig(f"{parts.scheme}://{parts.netloc}", credentials_file)


def given(url: str | None, credentials_file: Path | None, before: ProxyConfig | None) -> ProxyConfig | None:
    """The proxy as it is after an option: nothing given leaves what was set before, ``none`` takes it away."""
    if url is None:
        if credentials_file is None or before is None:
            return before
        url = before.url
    return None if url == NONE else parse(url, credentials_file)


def keep(proxy: ProxyConfig | None, state: Path) -> ProxyConfig | None:
    """The same proxy with its credentials copied into the state directory."""
    if proxy is None or proxy.credentials_file is None:
        return proxy
    kept = state / "secrets" / PROXY_CREDENTIALS
    if proxy.credentials_file != kept:
        write_private(kept, read_secret(proxy.credentials_file).encode())
    return ProxyConfig(proxy.url, kept)


def basic(credentials: str) -> str:
    """``user:password`` as HTTP's Basic scheme has it (RFC 7617)."""
    return "Basic " + base64.b64encode(credentials.encode()).decode("ascii")


def split(url: str) -> SplitResult:
    """A URL in its parts; ``ProxyInvalid`` if it has none."""
    try:
        parts = urlsplit(url)
        # Reading it is what checks it.
        _ = parts.port
    except ValueError as error:
        raise AgentError("ProxyInvalid") from error
    return parts

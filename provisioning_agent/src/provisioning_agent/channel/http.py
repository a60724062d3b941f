"""HTTPS to the service: one call in, one answer or one WireError out. No retries here."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from provisioning_agent import __version__
from provisioning_agent.config import AgentConfig
from provisioning_agent.errors import AgentError
from provisioning_agent.proxy import ProxyConfig
from provisioning_agent.wire.errors import WireError

from .proxies import is_exempt

CONNECT_TIMEOUT_S: Final = 10
READ_TIMEOUT_S: Final = 60
_MAX_ANSWER: Final = 16 * 1024 * 1024
_PIECE: Final = 64 * 1024
_MAX_RETRY_AFTER_S: Final = 600.0
# The words of http.client; nothing else tells a refused CONNECT's status.
_TUNNEL_STATUS: Final = re.compile(r"Tunnel connection failed: ([0-9]{3})")


class _Bearer(AuthBase):
    """Sets the header itself, so that requests does not look for credentials in a netrc file."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No credentials, and none from a netrc file either."""
    return request


class _ThroughProxy(HTTPAdapter):
    """Takes the credentials from their file, so that no URL has to carry them."""

    def __init__(self, proxy: ProxyConfig) -> None:
        super().__init__()
        self._proxy = proxy

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        return self._proxy.headers()


class OutboundSession(requests.Session):
    """Takes the agent's own proxy, and gives nobody more time than we do."""

    def __init__(self, proxy: ProxyConfig | None) -> None:
        super().__init__()
        self._proxy = proxy
        self.headers["User-Agent"] = f"isthmus-agent/{__version__}"
        self.verify = _authorities(None)
        if proxy is not None:
            self.mount("https://", _ThroughProxy(proxy))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """As any session does."""
        options.setdefault("timeout", (CONNECT_TIMEOUT_S, READ_TIMEOUT_S))
        # Said with each call: what a session says is overruled by the environment.
        options.setdefault("verify", self.verify)
        if self._proxy is not None and not is_exempt(str(url)):
            options.setdefault("proxies", {"https": self._proxy.url})
        return super().request(method, url, *args, **options)


class PortalHttp:
    """A connection pool to one portal, for one thread; ``proxy`` comes before that of the environment."""

    def __init__(self, portal: str, ca_file: Path | None = None, proxy: ProxyConfig | None = None) -> None:
        self.base = f"{require_https(portal)}/hybrid/v1"
        self._proxy = proxy
        self._verify = _authorities(ca_file)
        self._session = OutboundSession(proxy)

    def url(self, path: str) -> str:
        """The full URL of a call, which is also what an assertion is made for."""
        return f"{self.base}/{path}"

    def json(
        self, method: str, url: str, token: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Send and receive JSON objects."""
        data = None if body is None else orjson.dumps(body)
        response = self.send(method, url, token, data, {"Content-Type": "application/json"})
        return _object(response)

    def send(
        self,
        method: str,
        url: str,
        token: str,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        read_timeout: float = READ_TIMEOUT_S,
    ) -> requests.Response:
        """One call; anything but a 2xx answer is a WireError."""
        try:
            response = self._session.request(
                method,
                require_https(url),
                data=data,
                headers=dict(headers or {}),
                auth=_Bearer(token),
                timeout=(CONNECT_TIMEOUT_S, read_timeout),
                allow_redirects=False,
                verify=self._verify,
            )
        except (requests.RequestException, OSError, AgentError) as error:
            raise self._unreachable(error) from error
        if not 200 <= response.status_code < 300:
            raise _refusal(response)
        return response

    def download(self, url: str) -> Iterator[bytes]:
        """A file that needs no proof, in pieces; anything but 200 is a WireError."""
        try:
            with self._session.get(
                require_https(url),
                auth=_nobody,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                verify=self._verify,
                stream=True,
            ) as response:
                if response.status_code != 200:
                    raise _refusal(response)
                yield from response.iter_content(_PIECE)
        except (requests.RequestException, OSError, AgentError) as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close idle connections."""
        self._session.close()

    def _unreachable(self, error: Exception) -> WireError:
        found = unreachable(error)
        if found.code == "ProxyCredentialsRefused":
            # A connection pool keeps its headers: the next call reads the credentials anew.
            self._session.close()
            self._session = OutboundSession(self._proxy)
        return found


def open_portal(config: AgentConfig) -> PortalHttp:
    """The portal of an enrolled agent, on the way its configuration names."""
    return PortalHttp(config.portal, config.portal_ca_file, config.proxy)


def require_https(url: str) -> str:
    """The URL without a slash at its end; ``PortalNotHttps`` unless it is https."""
    if not url.lower().startswith("https://"):
        raise AgentError("PortalNotHttps")
    return url.rstrip("/")


def read_json(response: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer."""
    return _object(response)


def _object(response: requests.Response) -> dict[str, Any]:
    if not response.content:
        return {}
    try:
        value = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise WireError("UnreadableAnswer") from error
    if not isinstance(value, dict):
        raise WireError("UnreadableAnswer")
    return value


def _refusal(response: requests.Response) -> WireError:
    error = WireError.from_response(response.status_code, response.content[:_MAX_ANSWER])
    wish = response.headers.get("Retry-After", "")
    if wish.isascii() and wish.isdigit():
        error.retry_after = min(float(wish), _MAX_RETRY_AFTER_S)
    return error


def _authorities(ca_file: Path | None) -> str | bool:
    """The CA file given, else the host's own CAs, else those that come with requests."""
    return str(ca_file) if ca_file else ssl.get_default_verify_paths().cafile or True


def unreachable(error: Exception) -> WireError:
    """What a call that got no answer failed at."""
    if isinstance(error, AgentError):
        # The proxy's credentials: a file that can be mended while the agent runs.
        return WireError(error.code, error.detail, status=503, retry=True)
    # The exception's text may hold a URL with a proxy's password: only its kind is told.
    code = _code_of(error)
    return WireError(code, f"{AgentError(code).detail} ({type(error).__name__})", status=503, retry=True)


def _code_of(error: Exception) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        told = _TUNNEL_STATUS.search(str(error))
        if told is None:
            return "ProxyUnreachable"
        return "ProxyCredentialsRefused" if told[1] == "407" else "ProxyRefused"
    if isinstance(error, requests.exceptions.SSLError):
        return "PortalCertificateUntrusted"
    return "PortalUnreachable"

"""The service bus as an agent sees it: wait for a request, answer it in pages, keep or return the lease."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import orjson

from provisioning_agent.wire.errors import ERROR_EXTENSION, WireError
from provisioning_agent.wire.limits import LONG_POLL_S
from provisioning_agent.wire.requests import ReadRequest

from .http import PortalHttp, read_json

_POLL_MARGIN_S: Final = 15
# Ending a lease has to be quick: it happens while the agent stops.
_HAND_BACK_TIMEOUT_S: Final = 3
_PAGE_HEADERS: Final = {"Content-Type": "application/scim+json", "Content-Encoding": "gzip"}
_JSON_HEADERS: Final = {"Content-Type": "application/json"}
_ERROR_HEADERS: Final = {"Content-Type": "application/scim+json"}


@dataclass(frozen=True, slots=True)
class Lease:
    """One request this agent has to answer; ``seconds`` is how long the lease lasts without a sign of life."""

    bus: str
    request_id: str
    attempt: int
    seconds: float
    body: dict[str, Any] = field(repr=False)

    def request(self) -> ReadRequest:
        """The request itself; a malformed one is a WireError."""
        return ReadRequest.from_dict(self.body)

    def url(self, tail: str) -> str:
        """Where to send what concerns this lease."""
        return f"{self.bus}/{quote(self.request_id, safe='')}/{tail}?attempt={self.attempt}"


def poll(http: PortalHttp, bus: str, token: str, wait: int = LONG_POLL_S) -> Lease | None:
    """``GET bus``: wait so many seconds for a request, None if there was none."""
    response = http.send("GET", f"{bus}?wait={wait}", token, read_timeout=wait + _POLL_MARGIN_S)
    if response.status_code == 204:
        return None
    answer = read_json(response)
    try:
        return Lease(
            bus,
            str(answer["requestId"]),
            int(answer["attempt"]),
            float(answer["leaseSeconds"]),
            answer["request"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WireError("UnreadableAnswer", "The bus sent a request that can not be used.") from error


def post_page(http: PortalHttp, token: str, lease: Lease, number: int, page: bytes) -> None:
    """``POST bus/{request}/pages/{n}``: idempotent by number."""
    http.send("POST", lease.url(f"pages/{number}"), token, page, _PAGE_HEADERS)


def post_failure(http: PortalHttp, token: str, lease: Lease, error: WireError) -> None:
    """``POST bus/{request}/failure``: with ``retry`` the request goes to another agent, without it fails."""
    body = error.to_body()
    body[ERROR_EXTENSION]["retry"] = error.retry
    http.send("POST", lease.url("failure"), token, orjson.dumps(body), _ERROR_HEADERS)


def post_change(http: PortalHttp, bus: str, token: str, domain: str) -> None:
    """``POST bus/changes``: something in the domain has changed."""
    http.send("POST", f"{bus}/changes", token, orjson.dumps({"domain": domain}), _JSON_HEADERS)


def renew_lease(http: PortalHttp, token: str, lease: Lease) -> None:
    """``POST bus/{request}/lease``: a sign of life while a query takes long."""
    http.send("POST", lease.url("lease"), token)


def hand_back(http: PortalHttp, token: str, lease: Lease) -> None:
    """``DELETE bus/{request}/lease``: somebody else may answer, at once."""
    http.send("DELETE", lease.url("lease"), token, read_timeout=_HAND_BACK_TIMEOUT_S)

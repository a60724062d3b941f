"""Errors between agent and service: one registry, one exception, one JSON shape (RFC 7644 §3.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

ERROR_SCHEMA: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
ERROR_EXTENSION: Final = "urn:isthmus:scim:api:messages:1.0:Error"


class WireCode(NamedTuple):
    """What one code means: its HTTP status, whether trying again can help, and the sentence to show."""

    status: int
    retry: bool
    sentence: str


CODES: Final[Mapping[str, WireCode]] = {
    "MalformedRequest": WireCode(
        400, False, "The request is not what this call expects; update the agent or the caller and try again."
    ),
    "MalformedPage": WireCode(
        400,
        False,
        "The page is not a valid answer page; update the agent so that both ends speak the same version.",
    ),
    "OversizedPage": WireCode(
        413,
        False,
        "The page is larger than the service accepts; lower the page size or exclude very large attributes.",
    ),
    "PageOutOfOrder": WireCode(
        409,
        False,
        "A page before this one is missing; the agent has to answer the request from its first page again.",
    ),
    "EnrolmentTokenUnknown": WireCode(
        401, False, "The enrolment token is not known; create a new one in the console and enrol again."
    ),
    "EnrolmentTokenExpired": WireCode(
        401, False, "The enrolment token has expired; create a new one in the console and enrol again."
    ),
    "EnrolmentTokenUsed": WireCode(
        409,
        False,
        "The enrolment token was already used; create a new one in the console, one for each agent.",
    ),
    "CsrInvalid": WireCode(
        400,
        False,
        "The certificate request is not acceptable; it must be signed by an EC P-256 key of its own.",
    ),
    "AssertionInvalid": WireCode(
        401,
        False,
        "The agent could not be recognised by its signature; enrol the agent again if this persists.",
    ),
    "AssertionExpired": WireCode(
        401, True, "The signed call arrived too late; it is made anew and sent again."
    ),
    "AssertionReplayed": WireCode(
        401, True, "The signed call was already used once; it is made anew and sent again."
    ),
    "ClockSkew": WireCode(
        401,
        True,
        "The clocks of agent and service differ too much; correct the clock (NTP) of the one that is wrong.",
    ),
    "AgentUnknown": WireCode(401, False, "No agent has this id; enrol the agent again with a new token."),
    "AgentRevoked": WireCode(
        403, False, "This agent was revoked by an administrator; enrol it again if it should work once more."
    ),
    "RenewalTooEarly": WireCode(
        409, False, "The certificate is still valid for long; it can be renewed in its last 30 days."
    ),
    "BusTokenInvalid": WireCode(401, True, "The bus token is not valid; bootstrap again to get a new one."),
    "BusTokenExpired": WireCode(401, True, "The bus token has expired; bootstrap again to get a new one."),
    "RequestUnknown": WireCode(
        404, False, "The bus request does not exist any more; drop it and wait for the next."
    ),
    "RequestNotYours": WireCode(
        409, False, "The bus request is leased to another agent or attempt; drop it and wait for the next."
    ),
    "RequestClosed": WireCode(
        409, False, "The bus request is already settled; drop it and wait for the next."
    ),
    "DomainUnknown": WireCode(
        404,
        False,
        "The domain is not served by this agent; enrol it again naming that domain, or correct the request.",
    ),
    "TooManyRequests": WireCode(429, True, "Too many calls in a short time; wait and try again."),
    "ServiceUnavailable": WireCode(503, True, "The service can not answer just now; wait and try again."),
    "UnreadableAnswer": WireCode(
        502,
        True,
        "The answer is not from the service but from something in between; check proxies and the portal URL.",
    ),
}


class WireError(Exception):
    """One refused or failed call; ``code`` is stable, ``detail`` is one sentence that says what to do."""

    def __init__(
        self,
        code: str,
        detail: str | None = None,
        *,
        status: int | None = None,
        retry: bool | None = None,
        scim_type: str | None = None,
        correlation_id: str | None = None,
    ) -> None:
        known = CODES.get(code)
        self.code = code
        self.detail = detail or (known.sentence if known else code)
        self.status = status or (known.status if known else 400)
        self.retry = retry if retry is not None else (known.retry if known else self.status >= 500)
        self.scim_type = scim_type
        self.correlation_id = correlation_id
        # Seconds the answering side asked to be left alone (RFC 9110 §10.2.3); set by who saw the header.
        self.retry_after: float | None = None
        super().__init__(f"{code}: {self.detail}")

    def to_body(self) -> dict[str, Any]:
        """The SCIM error body, with our code and retry advice in the extension."""
        extension: dict[str, Any] = {"code": self.code, "retry": self.retry}
        if self.correlation_id:
            extension["correlationId"] = self.correlation_id
        body: dict[str, Any] = {
            "schemas": [ERROR_SCHEMA],
            "status": str(self.status),
            "detail": self.detail,
            ERROR_EXTENSION: extension,
        }
        if self.scim_type:
            body["scimType"] = self.scim_type
        return body

    @classmethod
    def from_response(cls, status: int, body: bytes) -> WireError:
        """The error an HTTP answer carries; a body that is no SCIM error becomes ``UnreadableAnswer``."""
        parsed = _parsed(body)
        extension = parsed.get(ERROR_EXTENSION) if parsed else None
        code = extension.get("code") if isinstance(extension, dict) else None
        if parsed is None or not isinstance(extension, dict) or not isinstance(code, str):
            return cls("UnreadableAnswer", _unreadable(status), status=status)
        return cls(
            code,
            _text(parsed.get("detail")),
            status=status,
            retry=extension["retry"] if isinstance(extension.get("retry"), bool) else None,
            scim_type=_text(parsed.get("scimType")),
            correlation_id=_text(extension.get("correlationId")),
        )


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _unreadable(status: int) -> str:
    return f"HTTP status {status} came with a body not from the service; check proxies and the portal URL."

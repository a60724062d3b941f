"""Plain HTTPS calls as an agent makes them, so that a test can also make the wrong ones."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import requests

from agents.tests.cast import Member
from agents.tests.portal_process import Portal
from provisioning_agent.wire.errors import WireError

PAGE_HEADERS = {"Content-Type": "application/scim+json", "Content-Encoding": "gzip"}


class Wire:
    """One agent's connection to the portal."""

    def __init__(self, portal: Portal, member: Member | None = None) -> None:
        self._portal, self._member = portal, member
        self._session = requests.Session()
        # REQUESTS_CA_BUNDLE in the environment would win over the authority we trust here.
        self._session.trust_env = False
        self._session.verify = str(portal.authority)
        self._bus_token = ""

    def url(self, path: str) -> str:
        return f"{self._portal.url}/hybrid/v1/{path}"

    def call(self, method: str, path: str, token: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self._session.request(method, self.url(path), headers=headers, timeout=90, **more)

    def signed(self, method: str, path: str, body: object, **shift: float) -> requests.Response:
        assert self._member is not None
        moment = datetime.now(UTC) + timedelta(**shift)
        return self.call(
            method, path, self._member.assertion(self.url(path), moment), data=orjson.dumps(body)
        )

    def bootstrap(self) -> dict[str, Any]:
        answer = self.signed("POST", "bootstrap", {"name": "srv1", "version": "0.1.0", "os": "Debian"})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        self._bus_token = found["busToken"]
        return found

    def use(self, bus_token: str) -> None:
        self._bus_token = bus_token

    def bus(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.call(method, path, self._bus_token, **more)

    def poll(self, wait: int) -> requests.Response:
        return self.bus("GET", f"bus?wait={wait}")

    def post_page(
        self, request_id: uuid.UUID | str, number: int, body: bytes, attempt: int = 1
    ) -> requests.Response:
        path = f"bus/{request_id}/pages/{number}?attempt={attempt}"
        return self.bus("POST", path, data=body, headers=PAGE_HEADERS)


def code_of(answer: requests.Response) -> str:
    assert answer.headers["Content-Type"] == "application/scim+json"
    error = WireError.from_response(answer.status_code, answer.content)
    assert error.status == answer.status_code
    return error.code


class Meanwhile:
    """Runs polls in threads while the test goes on."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(32)

    def __enter__(self) -> Meanwhile:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)

    def poll(self, wire: Wire, wait: int) -> Future[requests.Response]:
        started = threading.Event()

        def run() -> requests.Response:
            started.set()
            return wire.poll(wait)

        future = self._pool.submit(run)
        started.wait(10)
        return future

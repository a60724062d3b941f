"""The portal's REST endpoints as a script would call them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import requests

from lab.errors import LabError

Document = dict[str, Any]


class PortalClient:
    """Calls ``/api/v1/`` with a token. HTTP errors are raised with the body's code and detail."""

    def __init__(self, url: str, token: str) -> None:
        self.base = f"{url}/api/v1/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    @classmethod
    def sign_in(cls, url: str, username: str, password: str) -> PortalClient:
        """Exchange name and password for a token."""
        answer = requests.post(
            f"{url}/api/v1/token", json={"username": username, "password": password}, timeout=30
        )
        return cls(url, _body(answer)["token"])

    def get(self, path: str, **query: str) -> Document:
        """One document."""
        return _body(self.session.get(urljoin(self.base, path), params=query, timeout=60))

    def post(self, path: str, document: Document | None = None) -> Document:
        """Create something, or ask for an action."""
        return _body(self.session.post(urljoin(self.base, path), json=document or {}, timeout=60))

    def patch(self, path: str, document: Document) -> Document:
        """Change something."""
        return _body(self.session.patch(urljoin(self.base, path), json=document, timeout=60))

    def delete(self, path: str) -> None:
        """Remove something."""
        _body(self.session.delete(urljoin(self.base, path), timeout=60))

    def all(self, path: str, **query: str) -> Iterator[Document]:
        """Every row of a list, page after page."""
        url: str | None = urljoin(self.base, path)
        parameters: dict[str, str] | None = query
        while url:
            page = _body(self.session.get(url, params=parameters, timeout=60))
            yield from page["results"]
            url, parameters = page.get("next"), None


def wait_for(ready: Any, what: str, *, seconds: float, every: float = 0.2) -> Any:
    """Ask again and again until the answer is true; LabError naming ``what`` when time runs out."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ready()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise LabError("LabTimeout", f"{what} did not happen within {seconds:.0f} s.")
        time.sleep(every)


def _body(answer: requests.Response) -> Document:
    if not answer.ok:
        raise LabError(
            "LabCommandFailed", f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
        )
    return dict(answer.json()) if answer.content else {}

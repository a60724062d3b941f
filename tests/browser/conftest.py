"""Debian's chromium, driven from the test, looking at a live server filled with an estate."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from portal.tests import estate, factories
from provisioning.models import ProvisioningLogEntry

ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct horse battery"


@dataclass
class Watch:
    """What a page asked for and complained about."""

    host: str
    left: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def on_request(self, request: Request) -> None:
        """Remember requests to other hosts."""
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self.host:
            self.left.append(request.url)

    def on_response(self, response: Response) -> None:
        """Remember what was not served."""
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.url}")

    def on_console(self, message: ConsoleMessage) -> None:
        """Remember errors of scripts."""
        if message.type == "error":
            self.complaints.append(message.text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a module: while it runs, its event loop belongs to this thread."""
    executable = shutil.which("chromium")
    if executable is None:
        message = "chromium is missing: apt-get install chromium"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    # The test thread is no async context, though Playwright's loop makes Django think so.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            running = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
            yield running
            running.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def built(transactional_db: None) -> Iterator[estate.Estate]:
    """The estate, and an administrator to look at it."""
    factories.administrator()
    yield estate.build()
    # Django does not manage the log's table, so it does not empty it between tests.
    ProvisioningLogEntry.objects.all().delete()


@pytest.fixture
def watch(live_server: object) -> Watch:
    """What the page asks for and complains about."""
    return Watch(urlsplit(str(live_server)).netloc)


@pytest.fixture
def page(browser: Browser, built: estate.Estate, live_server: object, watch: Watch) -> Iterator[Page]:
    """A signed-in tab on the dashboard."""
    context = browser.new_context(
        base_url=str(live_server),
        viewport={"width": 1440, "height": 900},
        permissions=["clipboard-read", "clipboard-write"],
    )
    tab = context.new_page()
    tab.on("request", watch.on_request)
    tab.on("response", watch.on_response)
    tab.on("console", watch.on_console)
    tab.goto("/")
    tab.fill("#id_username", "admin")
    tab.fill("#id_password", PASSWORD)
    tab.click("button[type=submit]")
    tab.wait_for_url("**/admin/")
    yield tab
    context.close()
